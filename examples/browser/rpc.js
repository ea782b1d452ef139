// The client's half of /p2pagents/rpc/1.0.0 (docs/wire/rpc.md), over a connection of js-libp2p.
import { decode, encode } from '@msgpack/msgpack'
import * as lengthPrefixed from 'it-length-prefixed'

const PROTOCOL = '/p2pagents/rpc/1.0.0'
const [REQUEST, MESSAGE, ERROR, REFUSAL] = [0, 1, 2, 3]
const FRAME_BYTES_MAX = (4 << 20) + 4608

// Calls a method with one message, and yields the messages of its answer as they come. Throws when the method answers
// with an error, or the peer refuses. Leaving the loop early gives the call up.
export async function * callStream (connection, method, message) {
  const stream = await connection.newStream(PROTOCOL)
  let finished = false // the server's FIN, which a connection that is lost does not bring
  let read = false
  stream.addEventListener('remoteCloseWrite', () => { finished = true })
  try {
    stream.send(lengthPrefixed.encode.single(encode([REQUEST, method, 0, 0, message])))
    stream.close().catch(() => {}) // ends our direction; why it could not be ended is told where we read
    for await (const frame of lengthPrefixed.decode(stream, { maxDataLength: FRAME_BYTES_MAX })) {
      yield messageOf(decode(frame.subarray()))
    }
    read = true
    if (!finished) throw new Error('the connection was lost')
  } finally {
    if (!read) stream.abort(new Error('given up'))
  }
}

// For a method of one request and one answer.
export async function call (connection, method, message) {
  const answers = []
  for await (const answer of callStream(connection, method, message)) answers.push(answer)
  if (answers.length !== 1) throw new Error(`${method} answered with ${answers.length} messages`)
  return answers[0]
}

function messageOf ([kind, first, second]) {
  if (kind === MESSAGE) return first
  if (kind === ERROR) throw new Error(`error ${first}: ${second}`)
  if (kind === REFUSAL) throw new Error(`refused: ${first}`)
  throw new Error(`not a frame of an answer: ${kind}`)
}
