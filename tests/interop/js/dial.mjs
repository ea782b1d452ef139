import { multiaddr } from '@multiformats/multiaddr'
import { CASES } from './cases.mjs'
import { errorKind } from './errors.mjs'
import { AGENT, newNode } from './node.mjs'
import { serve } from './protocols.mjs'
import { printLine, stdinEnded } from './report.mjs'

// Checks the arguments at once; the returned function runs the case.
export function dial (address, caseName, options) {
  if (!Object.hasOwn(CASES, caseName)) {
    throw new Error(`no such case: ${caseName}`)
  }
  const target = multiaddr(address)
  return () => runCase(target, caseName, options)
}

async function runCase (target, caseName, options) {
  const node = await newNode(options)
  await serve(node)
  const timeout = AbortSignal.timeout(options.timeout * 1000)
  const timedOut = new Promise((resolve, reject) => {
    timeout.addEventListener('abort', () => reject(timeout.reason))
  })
  timedOut.catch(() => {}) // the case may be over by then
  const result = { case: caseName, pass: true, peer: node.peerId.toString(), agent: AGENT }
  const session = { node, target, options, signal: timeout, report: result }
  try {
    await node.start()
    await Promise.race([CASES[caseName](session), timedOut])
  } catch (err) {
    result.pass = false
    result.error = err.message
    result.error_kind ??= errorKind(err)
  }
  printLine(result)
  await Promise.race([stdinEnded(), timedOut.catch(() => {})]) // what the other side reports can be awaited till then
  await node.stop()
  return result.pass ? 0 : 1
}
