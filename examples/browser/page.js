// Dials the agent whose address stands behind the # of this page's own, asks it, and shows each step.
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { call, callStream } from './rpc.js'

const encode = text => new TextEncoder().encode(text)
const decode = bytes => new TextDecoder().decode(bytes)

async function newNode () {
  return createLibp2p({
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify({ runOnConnectionOpen: false }) }, // asked below, to show the answer
    // Unless told so, js-libp2p in a browser dials neither private addresses nor WebSocket without TLS.
    connectionGater: { denyDialMultiaddr: () => false }
  })
}

// Runs one step and shows its outcome: the state of its section is its colour (page.css).
async function step (name, work) {
  const section = document.getElementById(name)
  const show = (state, words) => {
    section.dataset.state = state
    section.querySelector('p').textContent = words
  }
  try {
    const [words, result] = await work()
    show('done', words)
    return result
  } catch (error) {
    show('failed', error.message || 'no connection; browsers do not tell why')
    throw error
  }
}

function addSquare (title) {
  const square = document.createElement('i')
  square.title = title
  document.getElementById('squares').append(square)
}

async function talk (node, address) {
  const connection = await step('connected', async () => {
    const connection = await node.dial(multiaddr(address))
    return [`${connection.remotePeer} at ${address.split('/p2p/')[0]}`, connection]
  })
  await step('identified', async () => {
    const { agentVersion, protocols } = await node.services.identify.identify(connection)
    return [`${agentVersion}, speaks ${protocols.join(', ')}`]
  })
  await step('answered', async () => [decode(await call(connection, 'hello', encode('browser')))])
  await step('updated', async () => {
    const updates = []
    for await (const update of callStream(connection, 'work', encode('browser'))) {
      updates.push(decode(update))
      addSquare(updates.at(-1))
    }
    return [updates.join(' ')]
  })
}

const address = decodeURIComponent(location.hash.slice(1))
window.addEventListener('hashchange', () => location.reload())
document.getElementById('address').value = address
document.querySelector('form').addEventListener('submit', event => {
  event.preventDefault()
  location.hash = document.getElementById('address').value.trim()
})
if (address !== '') {
  const node = await newNode()
  await talk(node, address).catch(console.error)
  await node.stop()
  document.body.dataset.over = ''
}
