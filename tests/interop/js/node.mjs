import { quic } from '@chainsafe/libp2p-quic'
import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

export const AGENT = 'p2pagents-interop-js/1'

// The values of --transport: where each listens, and what it is made of.
export const TRANSPORTS = {
  quic: { listen: ip => `/ip4/${ip}/udp/0/quic-v1`, parts: { transports: [quic()] } },
  tcp: overTcp(noise(), tls()),
  'tcp-noise': overTcp(noise()),
  'tcp-tls': overTcp(tls())
}

function overTcp (...connectionEncrypters) {
  return {
    listen: ip => `/ip4/${ip}/tcp/0`,
    parts: { transports: [tcp()], connectionEncrypters, streamMuxers: [yamux()] }
  }
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
// first identify names them. Limits on connections and streams are out of the way; they have tests of their own.
export async function newNode (seed, transport, ip) {
  const { listen, parts } = TRANSPORTS[transport]
  return createLibp2p({
    start: false,
    privateKey: await newKey(seed),
    nodeInfo: { userAgent: AGENT },
    addresses: { listen: ip === undefined ? [] : [listen(ip)] },
    ...parts,
    connectionManager: { inboundConnectionThreshold: Infinity },
    services: { identify: identify(), ping: ping() }
  })
}
