import { quic } from '@chainsafe/libp2p-quic'
import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { createLibp2p } from 'libp2p'

export const AGENT = 'p2pagents-interop-js/1'

// The Ed25519 key whose 32-byte seed is n in little endian, or a random one if n is negative.
async function newKey (n) {
  if (n < 0) {
    return generateKeyPair('Ed25519')
  }
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setBigUint64(0, BigInt(n), true)
  return generateKeyPairFromSeed('Ed25519', seed)
}

// A QUIC-only node; without ip it does not listen. It is not started: handlers come first, so that the very first
// identify names them. Limits on connections and streams are out of the way; they have tests of their own.
export async function newNode (seed, ip) {
  return createLibp2p({
    start: false,
    privateKey: await newKey(seed),
    nodeInfo: { userAgent: AGENT },
    addresses: { listen: ip === undefined ? [] : [`/ip4/${ip}/udp/0/quic-v1`] },
    transports: [quic()],
    connectionManager: { inboundConnectionThreshold: Infinity },
    services: { identify: identify(), ping: ping() }
  })
}
