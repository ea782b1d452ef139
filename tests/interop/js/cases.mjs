import { createHash, randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { errorKind } from './errors.mjs'
import { COUNT, ECHO, HALF_CLOSE, HALF_CLOSE_GREETING_BYTES, PERF, RESET, STREAM_LIMITS, UNSUPPORTED } from './protocols.mjs'
import { identifiedFields, transportPart } from './report.mjs'
import { chunks, countBytes, Reader, readU64, u64, write, writeZeros } from './stream.mjs'

// Each case gets { node, target, options, signal, report }, fills in the report, and throws to fail.
export const CASES = {
  handshake,
  identify,
  ping: connected(ping),
  perf: connected(perf),
  echo: connected(echo),
  'wrong-peer': wrongPeer,
  unsupported: connected(unsupported),
  streams: connected(streams),
  'half-close-local': connected(halfCloseLocal),
  'half-close-remote': connected(halfCloseRemote),
  'reset-local': connected(resetLocal),
  'reset-remote': connected(resetRemote),
  idle: connected(idle),
  soak: connected(soak)
}

// Dials before the case proper.
function connected (run) {
  return async session => {
    await connect(session)
    for (let i = 0; i < session.options.pingsFirst; i++) {
      await pingSameConnection(session)
    }
    return run(session)
  }
}

async function connect (session) {
  session.connection = await session.node.dial(session.target, { signal: session.signal })
}

function open (session, protocol) {
  return session.connection.newStream(protocol, { signal: session.signal, ...STREAM_LIMITS })
}

const bytesOr = (session, bytesDefault) => session.options.bytes < 0 ? bytesDefault : session.options.bytes
const secondsSince = start => (performance.now() - start) / 1000

function check (condition, message) {
  if (!condition) {
    throw new Error(message)
  }
}

async function handshake (session) {
  const start = performance.now()
  await connect(session)
  session.report.handshake_ms = performance.now() - start
  session.report.remote_peer = session.connection.remotePeer.toString()
  session.report.remote_addr = transportPart(session.connection.remoteAddr)
}

async function identify (session) {
  const identified = new Promise(resolve => {
    session.node.addEventListener('peer:identify', ({ detail: result }) => resolve(result), { once: true })
  })
  await connect(session)
  session.report.identified = identifiedFields(await identified)
}

async function ping (session) {
  const rtts = session.report.rtts_ms = []
  for (let i = 0; i < session.options.rounds; i++) {
    rtts.push(await session.node.services.ping.ping(session.connection.remotePeer, { signal: session.signal }))
  }
}

async function perf (session) {
  const { uploadBytes, downloadBytes } = session.options
  const stream = await open(session, PERF)
  const start = performance.now()
  const download = countBytes(chunks(stream))
  await write(stream, u64(downloadBytes))
  await writeZeros(stream, uploadBytes)
  await stream.close()
  session.report.upload_bytes = uploadBytes
  session.report.download_bytes = await download
  session.report.seconds = secondsSince(start)
  check(session.report.download_bytes === downloadBytes, 'not all was downloaded')
}

// Much there and back while other streams are open and idle.
async function echo (session) {
  const idle = []
  for (let i = 0; i < session.options.parallel; i++) {
    const stream = await open(session, ECHO)
    const reader = new Reader(stream)
    await write(stream, Uint8Array.of(1))
    await reader.exactly(1)
    idle.push({ stream, reader })
  }
  await bigEcho(session)
  for (const { stream, reader } of idle) {
    await stream.close()
    check(await countBytes(reader.rest()) === 0, 'a stream that was idle ended with more bytes')
  }
  session.report.idle_streams = idle.length
}

async function bigEcho (session) {
  const count = bytesOr(session, 64 << 20)
  const stream = await open(session, ECHO)
  const sent = createHash('sha256')
  const received = createHash('sha256')
  const start = performance.now()
  async function send () {
    const block = randomBytes(64 * 1024)
    for (let left = count; left > 0; left -= block.byteLength) {
      block.writeUInt32LE(left % 0x100000000) // no two blocks are the same
      const piece = Uint8Array.from(block.subarray(0, Math.min(left, block.byteLength)))
      sent.update(piece)
      await write(stream, piece)
    }
    await stream.close()
  }
  async function receive () {
    let bytes = 0
    for await (const chunk of chunks(stream)) {
      received.update(chunk)
      bytes += chunk.byteLength
    }
    return bytes
  }
  const [bytes] = await Promise.all([receive(), send()])
  Object.assign(session.report, {
    bytes, seconds: secondsSince(start), sha256_sent: sent.digest('hex'), sha256_received: received.digest('hex')
  })
  check(bytes === count && session.report.sha256_sent === session.report.sha256_received,
    'what came back is not what was sent')
}

async function wrongPeer (session) {
  const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  session.target = multiaddr(`${transportPart(session.target)}/p2p/${other}`)
  await expectErrorKind(session, connect(session), 'peer-id-mismatch')
}

async function unsupported (session) {
  await expectErrorKind(session, open(session, UNSUPPORTED), 'unsupported-protocol')
  await pingSameConnection(session)
}

async function streams (session) {
  const { count, parallel } = session.options
  const size = bytesOr(session, 1024)
  const start = performance.now()
  let next = 0
  async function worker () {
    while (next < count) {
      const message = Buffer.alloc(size)
      message.fill(String(next++))
      await echoOnce(session, message)
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  session.report.streams = count
  session.report.seconds = secondsSince(start)
}

// Our FIN goes first, then the answer comes.
async function halfCloseLocal (session) {
  const message = randomBytes(bytesOr(session, 64 * 1024))
  await echoOnce(session, message)
  session.report.bytes = message.byteLength
}

// The other's FIN comes first, then we send; it tells on a stream of its own what arrived.
async function halfCloseRemote (session) {
  const { report } = session
  const counted = new Promise((resolve, reject) => {
    session.node.handle(COUNT, async stream => {
      try {
        resolve(readU64(await new Reader(stream).exactly(8)))
        await stream.close()
      } catch (err) {
        reject(err)
      }
    }, STREAM_LIMITS).catch(reject)
  })
  const stream = await open(session, HALF_CLOSE)
  report.received = await countBytes(chunks(stream))
  report.sent = bytesOr(session, 1 << 20)
  await writeZeros(stream, report.sent)
  await stream.close()
  report.counted = await counted
  check(report.received === HALF_CLOSE_GREETING_BYTES && report.counted === report.sent, 'counts differ')
}

async function resetLocal (session) {
  const message = randomBytes(bytesOr(session, 1024))
  await echoAndReset(session, message)
  session.report.bytes = message.byteLength
  await pingSameConnection(session)
}

// libp2p-quic hands a reset by the other on as an end like FIN, so only the refused write tells.
async function resetRemote (session) {
  const stream = await open(session, RESET)
  await write(stream, Uint8Array.of(1))
  try {
    await countBytes(chunks(stream))
    session.report.end = 'fin'
  } catch (err) {
    session.report.end = 'reset'
  }
  session.report.write_refused = await writeRefused(stream)
  check(session.report.write_refused, 'the stream can still be written to')
  await pingSameConnection(session)
}

// Nothing is said on a stream for longer than any side bears silence.
async function idle (session) {
  await pingSameConnection(session)
  await sleep(session.options.idle * 1000, undefined, { signal: session.signal })
  await pingSameConnection(session)
  session.report.seconds = session.options.idle
}

// Streams come and go for a while, none of them stuck.
async function soak (session) {
  const { parallel, seconds, resetEvery } = session.options
  const start = performance.now()
  Object.assign(session.report, { streams: 0, resets: 0 })
  const small = Buffer.alloc(1024)
  const large = Buffer.alloc(64 * 1024)
  async function worker () {
    while (secondsSince(start) < seconds) {
      const turn = ++session.report.streams
      if (resetEvery !== 0 && turn % resetEvery === 0) {
        session.report.resets++
        await inTime('to reset', echoAndReset(session, small))
      } else if (turn % 10 === 4) {
        await inTime('of 64 KiB', echoOnce(session, large))
      } else {
        await inTime('of 1 KiB', echoOnce(session, small))
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  session.report.seconds = secondsSince(start)
  await pingSameConnection(session)
}

const STUCK_MS = 20_000

async function inTime (what, work) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`a stream ${what} is stuck`)), STUCK_MS)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

async function echoAndReset (session, message) {
  const stream = await open(session, ECHO)
  const reader = new Reader(stream)
  await write(stream, message)
  await reader.exactly(message.byteLength)
  stream.abort(new Error('reset as asked'))
}

// Whether writing fails within two seconds.
async function writeRefused (stream) {
  const start = performance.now()
  try {
    while (secondsSince(start) < 2) {
      await write(stream, new Uint8Array(64))
      await sleep(20)
    }
  } catch (err) {
    return true
  }
  return false
}

// Sends the message and FIN, and only then reads it back up to the other's FIN.
async function echoOnce (session, message) {
  const stream = await open(session, ECHO)
  await write(stream, message)
  await stream.close()
  const answer = Buffer.concat(await Array.fromAsync(chunks(stream)))
  check(answer.equals(message), 'what came back is not what was sent')
}

// Pings once and fails if the first connection did not survive.
async function pingSameConnection ({ node, connection, signal }) {
  await node.services.ping.ping(connection.remotePeer, { signal })
  check(connection.status === 'open' && node.getConnections(connection.remotePeer).length === 1,
    'the connection did not survive')
}

async function expectErrorKind (session, attempt, kind) {
  let refusal
  await attempt.catch(err => { refusal = err })
  check(refusal !== undefined, 'not refused')
  session.report.error_kind = errorKind(refusal)
  session.report.refusal = refusal.message
  check(session.report.error_kind === kind, `refused, but not as ${kind}: ${refusal.message}`)
}
