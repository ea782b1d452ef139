import { AGENT, newNode } from './node.mjs'
import { serve } from './protocols.mjs'
import { identifiedFields, printEvent, stdinEnded, transportPart } from './report.mjs'

// Serves until stdin ends or SIGTERM.
export async function listen (options) {
  const node = await newNode(options, options.ip)
  node.addEventListener('connection:open', ({ detail: connection }) => {
    printEvent('connected', { peer: connection.remotePeer.toString(), remote_addr: transportPart(connection.remoteAddr) })
  })
  node.addEventListener('connection:close', ({ detail: connection }) => {
    printEvent('disconnected', { peer: connection.remotePeer.toString() })
  })
  node.addEventListener('peer:identify', ({ detail: result }) => {
    printEvent('identified', identifiedFields(result))
  })
  const stop = Promise.race([stdinEnded(), new Promise(resolve => process.on('SIGTERM', resolve))])
  await serve(node)
  await node.start()
  printEvent('listening', {
    peer: node.peerId.toString(),
    agent: AGENT,
    addrs: node.getMultiaddrs().map(address => address.toString())
  })
  await stop
  await node.stop()
  return 0
}
