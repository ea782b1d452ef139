import { readFile } from 'node:fs/promises'
import { setDefaultCACertificates } from 'node:tls'
import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

export const AGENT = 'p2pagents-interop-js/1'

// The parts are loaded when they are needed: together they are most of what a start takes.
const quic = async () => (await import('@chainsafe/libp2p-quic')).quic()
const tcp = async () => (await import('@libp2p/tcp')).tcp()
const noise = async () => (await import('@libp2p/noise')).noise()
const tls = async () => (await import('@libp2p/tls')).tls()

async function webSockets (https) {
  const { webSockets } = await import('@libp2p/websockets')
  // How often a writer who waits looks whether he may go on; else two times a second.
  return webSockets({ https, bufferedAmountPollInterval: 5 })
}

// Over the web's TLS, with the certificates in the directory; both ends check them.
async function secureWebSockets (directory) {
  const read = name => readFile(`${directory}/${name}.pem`, 'utf8')
  setDefaultCACertificates([await read('roots')])
  return webSockets({ cert: await read('certificate'), key: await read('key') })
}

// The values of --transport: where each listens, and what it is made of.
export const TRANSPORTS = {
  quic: { listen: ip => `/ip4/${ip}/udp/0/quic-v1`, parts: async () => ({ transports: [await quic()] }) },
  tcp: upgraded('', tcp, noise, tls),
  'tcp-noise': upgraded('', tcp, noise),
  'tcp-tls': upgraded('', tcp, tls),
  'ws-noise': upgraded('/ws', () => webSockets(), noise),
  'ws-tls': upgraded('/ws', () => webSockets(), tls),
  'wss-noise': upgraded('/tls/ws', secureWebSockets, noise),
  'wss-tls': upgraded('/tls/ws', secureWebSockets, tls)
}

function upgraded (suffix, transport, ...encrypters) {
  return {
    listen: ip => `/ip4/${ip}/tcp/0${suffix}`,
    parts: async web => ({
      transports: [await transport(web)],
      connectionEncrypters: await Promise.all(encrypters.map(make => make())),
      streamMuxers: [yamux()]
    })
  }
}

async function privateNetwork (file) {
  const { preSharedKey } = await import('@libp2p/pnet')
  return { connectionProtector: preSharedKey({ psk: await readFile(file) }) }
}

// The Ed25519 key whose 32-byte seed is n in little endian, or a random one if n is negative.
async function newKey (n) {
  if (n < 0) {
    return generateKeyPair('Ed25519')
  }
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setBigUint64(0, BigInt(n), true)
  return generateKeyPairFromSeed('Ed25519', seed)
}

// A node of one transport; without ip it does not listen. It is not started: handlers come first, so that the very
// first identify names them. Limits on connections and streams are out of the way; they have tests of their own. So is the
// monitor, which ends a connection whose ping takes two seconds: on a busy machine that says nothing of the other side.
export async function newNode ({ seed, transport, web, networkKey }, ip) {
  const { listen, parts } = TRANSPORTS[transport]
  return createLibp2p({
    start: false,
    privateKey: await newKey(seed),
    nodeInfo: { userAgent: AGENT },
    addresses: { listen: ip === undefined ? [] : [listen(ip)] },
    ...await parts(web),
    ...networkKey === '' ? {} : await privateNetwork(networkKey),
    connectionManager: { inboundConnectionThreshold: Infinity },
    connectionMonitor: { enabled: false },
    services: { identify: identify(), ping: ping() }
  })
}
