// Our word for what an error of js-libp2p means.
export function errorKind (err) {
  // libp2p-quic has no error of its own for this (its text: "Dialed peer A but connected to B").
  if (err.name === 'UnexpectedPeerError' || /^Dialed peer \w+ but connected to \w+$/.test(err.message)) {
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
