// libp2p-quic has no error of its own for this; those of noise and tls are wrapped into another, which keeps their text.
const OTHER_PEER = new RegExp([
  '^Dialed peer \\w+ but connected to \\w+$',
  '^Payload identity key \\w+ does not match expected remote identity key \\w+$',
  '^Unexpected Peer$'
].join('|'))

// Our word for what an error of js-libp2p means.
export function errorKind (err) {
  if (err.name === 'UnexpectedPeerError' || OTHER_PEER.test(err.message)) {
    return 'peer-id-mismatch'
  }
  if (err.name === 'UnsupportedProtocolError') {
    return 'unsupported-protocol'
  }
  if (err.name === 'TimeoutError') {
    return 'timeout'
  }
  return 'other'
}
