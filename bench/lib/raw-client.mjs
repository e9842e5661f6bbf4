/** A client that knows what became of each of its connections. */
import { connect } from 'node:net'

const REQUEST = 'GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n'

/** 'ok', 'refused', 'reset', 'cut' (closed without a whole answer) or 'silence' (nothing until the timeout). Never rejects. */
export function request(port, timeoutMs = 5000) {
  return new Promise((resolve) => {
    let text = ''
    let error
    const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST))
    const timer = setTimeout(() => {
      error = 'silence'
      socket.destroy()
    }, timeoutMs)
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', ({ code }) => {
      error ??= code === 'ECONNREFUSED' ? 'refused' : 'reset'
    })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(isWhole(text) ? 'ok' : (error ?? 'cut'))
    })
  })
}

/** A small load: one request each `everyMs`, each on a connection of its own. */
export function lightLoad(port, everyMs = 10) {
  const answers = []
  const timer = setInterval(() => answers.push(request(port)), everyMs)
  return {
    async stop() {
      clearInterval(timer)
      return tally(await Promise.all(answers))
    },
  }
}

export function tally(outcomes) {
  const counts = {}
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return { sent: outcomes.length, lost: outcomes.length - (counts.ok ?? 0), counts }
}

function isWhole(text) {
  const end = text.indexOf('\r\n\r\n')
  if (!text.startsWith('HTTP/1.1 200 ') || end === -1) return false
  const body = text.slice(end + 4)
  const length = /^content-length: (\d+)/im.exec(text)?.[1]
  return length === undefined ? body.endsWith('0\r\n\r\n') : body.length === Number(length)
}

/** Exactly so many requests to apps/small.cjs, `perConnection` on each connection, `parallel` at a time. */
export async function fixedLoad(port, { requests, perConnection, parallel = 32 }) {
  let left = Math.ceil(requests / perConnection)
  const lane = async () => {
    while (left > 0) {
      left -= 1
      await conversation(port, perConnection)
    }
  }
  await Promise.all(Array.from({ length: parallel }, lane))
}

function conversation(port, count) {
  return new Promise((resolve, reject) => {
    let asked = 0
    const next = () => {
      if (asked === count) socket.end()
      else {
        asked += 1
        socket.write('GET / HTTP/1.1\r\nHost: bench\r\n\r\n')
      }
    }
    const socket = connect(port, '127.0.0.1', next)
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer for 10 s')))
    socket.setEncoding('latin1')
    socket.on('data', (text) => {
      if (text.endsWith('hello\n')) next()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve())
  })
}
