// Bytes over js-libp2p streams.

// Resolves when the stream takes bytes again. stream.onDrain() is no help: from the second call on it answers with the
// first call's promise, which is settled already.
function drained (stream) {
  return new Promise((resolve, reject) => {
    const done = () => {
      stream.removeEventListener('drain', done)
      stream.removeEventListener('close', closed)
      resolve()
    }
    const closed = event => {
      stream.removeEventListener('drain', done)
      reject(event.error ?? new Error('stream closed while writing'))
    }
    stream.addEventListener('drain', done)
    stream.addEventListener('close', closed, { once: true })
  })
}

export async function write (stream, bytes) {
  if (!stream.send(bytes) && stream.writableNeedsDrain) {
    await drained(stream)
  }
}

const ZEROS = new Uint8Array(64 * 1024)

export async function writeZeros (stream, count) {
  for (let left = count; left > 0; left -= ZEROS.byteLength) {
    await write(stream, left < ZEROS.byteLength ? ZEROS.subarray(0, left) : ZEROS)
  }
}

// The stream's bytes as they come, up to its end. Unlike the stream's own iterator it also ends when the other's FIN
// came before the first look at the stream.
export async function * chunks (stream) {
  const queue = []
  let wake = () => {}
  let error
  const onMessage = event => { queue.push(event.data); wake() }
  const onEnd = () => wake()
  const onClose = event => { error = event.error; wake() }
  stream.addEventListener('message', onMessage)
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onClose)
  try {
    while (true) {
      while (queue.length > 0) {
        yield queue.shift().subarray()
      }
      if (error !== undefined) {
        throw error
      }
      if (stream.status === 'aborted' || stream.status === 'reset') {
        throw new Error('stream reset')
      }
      // What multistream-select read ahead is pushed back, possibly after the end was announced.
      if ((stream.readableEnded || stream.status === 'closed') && stream.readBufferLength === 0) {
        return
      }
      await new Promise(resolve => { wake = resolve })
    }
  } finally {
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('end', onEnd)
    stream.removeEventListener('close', onClose)
  }
}

// Reads one stream in pieces of asked sizes.
export class Reader {
  #chunks
  #held = new Uint8Array(0)

  constructor (stream) {
    this.#chunks = chunks(stream)
  }

  async exactly (count) {
    while (this.#held.byteLength < count) {
      const { value, done } = await this.#chunks.next()
      if (done) {
        throw new Error('stream ended early')
      }
      this.#held = Buffer.concat([this.#held, value])
    }
    const taken = this.#held.subarray(0, count)
    this.#held = this.#held.subarray(count)
    return taken
  }

  async * rest () {
    if (this.#held.byteLength > 0) {
      yield this.#held
    }
    yield * this.#chunks
  }
}

export async function countBytes (source) {
  let count = 0
  for await (const chunk of source) {
    count += chunk.byteLength
  }
  return count
}

export function u64 (value) {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

export function readU64 (bytes) {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0))
}
