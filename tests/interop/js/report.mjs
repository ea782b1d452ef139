import { writeSync } from 'node:fs'

// Synchronous, so that no line is lost when the process exits.
export function printLine (fields) {
  writeSync(1, `${JSON.stringify(fields)}\n`)
}

export function printEvent (event, fields) {
  printLine({ event, ...fields })
}

export function transportPart (address) {
  return address === undefined ? '' : address.toString().replace(/\/p2p\/[^/]+$/, '')
}

// What another peer said of itself, and of us, by identify.
export function identifiedFields (result) {
  return {
    peer: result.peerId.toString(),
    agent: result.agentVersion ?? '',
    protocol_version: result.protocolVersion ?? '',
    protocols: result.protocols,
    listen_addrs: result.listenAddrs.map(transportPart),
    observed_addr: transportPart(result.observedAddr)
  }
}

export function stdinEnded () {
  return new Promise(resolve => {
    process.stdin.on('end', resolve).on('error', resolve).resume()
  })
}
