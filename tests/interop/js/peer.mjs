// The js-libp2p side of the interop tests. The contract that it obeys, together with the peers of the other
// implementations, is in ../README.md.
import { dial } from './dial.mjs'
import { listen } from './listen.mjs'
import { TRANSPORTS } from './node.mjs'

const EXIT_USAGE = 2
const USAGE = `usage: peer listen [--ip IP] [--seed N] [--transport quic|tcp|(tcp|ws|wss)-(noise|tls)]
                   [--web DIR] [--network-key FILE]
       peer dial ADDR CASE [the same without --ip] [--timeout S] [--rounds N] [--bytes N]
                 [--upload-bytes N] [--download-bytes N] [--count N] [--parallel N] [--idle S]
                 [--seconds S] [--reset-every N] [--pings-first N]
`
const NODE_OPTIONS = { seed: -1, transport: 'quic', web: '', networkKey: '' }

// "--upload-bytes 5" becomes { uploadBytes: 5 }; only names that have a default are known, and a default that is a number
// wants a number.
function parseOptions (args, defaults) {
  const options = { ...defaults }
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i].replace(/^--/, '').replace(/-(.)/g, (_, letter) => letter.toUpperCase())
    const value = args[i + 1]
    if (!args[i].startsWith('--') || !(name in defaults) || value === undefined) {
      throw new Error(`bad option ${args[i]}`)
    }
    options[name] = typeof defaults[name] === 'number' ? Number(value) : value
    if (Number.isNaN(options[name])) {
      throw new Error(`bad value of ${args[i]}`)
    }
  }
  if (!Object.hasOwn(TRANSPORTS, options.transport)) {
    throw new Error(`no such transport: ${options.transport}`)
  }
  return options
}

function parse ([command, ...args]) {
  if (command === 'listen') {
    const options = parseOptions(args, { ...NODE_OPTIONS, ip: '127.0.0.1' })
    return () => listen(options)
  }
  if (command === 'dial' && args.length >= 2) {
    const [address, caseName, ...rest] = args
    const options = parseOptions(rest, {
      ...NODE_OPTIONS,
      timeout: 60,
      rounds: 10,
      pingsFirst: 0,
      bytes: -1,
      uploadBytes: 16 << 20,
      downloadBytes: 16 << 20,
      count: 1000,
      parallel: 100,
      idle: 35,
      seconds: 10,
      resetEvery: 10
    })
    return dial(address, caseName, options)
  }
  throw new Error('which command?')
}

let run
try {
  run = parse(process.argv.slice(2))
} catch (err) {
  process.stderr.write(`${err.message}\n${USAGE}`)
  process.exit(EXIT_USAGE)
}
process.exit(await run())
