import { printEvent } from './report.mjs'
import { chunks, countBytes, Reader, readU64, u64, write, writeZeros } from './stream.mjs'

export const PERF = '/perf/1.0.0'
export const ECHO = '/p2pagents/interop/echo/1.0.0'
export const HALF_CLOSE = '/p2pagents/interop/half-close/1.0.0'
export const COUNT = '/p2pagents/interop/count/1.0.0'
export const RESET = '/p2pagents/interop/reset/1.0.0'
export const UNSUPPORTED = '/p2pagents/interop/none/1.0.0'

export const HALF_CLOSE_GREETING_BYTES = 1024
export const STREAM_LIMITS = { maxInboundStreams: 4096, maxOutboundStreams: 4096 }

// spec: perf/perf.md: u64 of download bytes, upload to FIN, then the download.
async function servePerf (stream) {
  const reader = new Reader(stream)
  const sent = readU64(await reader.exactly(8))
  const received = await countBytes(reader.rest())
  await writeZeros(stream, sent)
  await stream.close()
  return { received, sent }
}

async function serveEcho (stream) {
  let bytes = 0
  try {
    for await (const chunk of chunks(stream)) {
      bytes += chunk.byteLength
      await write(stream, chunk)
    }
    await stream.close()
    return { bytes, end: 'fin' }
  } catch (err) {
    return { bytes, end: 'reset' }
  }
}

// Sends its greeting and FIN, only then reads, and tells the dialer the count on a stream of its own.
async function serveHalfClose (stream, connection) {
  await writeZeros(stream, HALF_CLOSE_GREETING_BYTES)
  await stream.close()
  const received = await countBytes(chunks(stream))
  const answer = await connection.newStream(COUNT, STREAM_LIMITS)
  await write(answer, u64(received))
  await answer.close()
  return { received, end: 'fin' }
}

async function serveReset (stream) {
  await new Reader(stream).exactly(1)
  stream.abort(new Error('reset as asked'))
  return {}
}

// Answers the protocols of the contract. Every handler ends with one event line.
export async function serve (node) {
  const handlers = { perf: [PERF, servePerf], echo: [ECHO, serveEcho], 'half-close': [HALF_CLOSE, serveHalfClose], reset: [RESET, serveReset] }
  for (const [event, [protocol, handler]] of Object.entries(handlers)) {
    await node.handle(protocol, async (stream, connection) => {
      try {
        printEvent(event, { peer: connection.remotePeer.toString(), ...await handler(stream, connection) })
      } catch (err) {
        stream.abort(err)
        printEvent(event, { peer: connection.remotePeer.toString(), end: 'error', error: err.message })
      }
    }, STREAM_LIMITS)
  }
}
