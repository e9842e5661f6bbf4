/** A client that opens connections, asks once on each, and keeps them. */
import { connect } from 'node:net'
import { sleep } from './session.mjs'

/**
 * Opens `count` connections, evenly over `overMs`, or all at once with 0.
 *
 * @returns `{ tookMs, halfMs, errors, closed, close }`: until the last answer, and until half of them; connections that got
 *   none; how many the server has closed; closes all
 */
export async function holdConnections(port, { count, overMs = 0, path = '/', timeoutMs = 20_000 }) {
  const began = performance.now()
  const sockets = []
  const answers = []
  const times = []
  for (let index = 0; index < count; index += 1) {
    const { socket, answered } = ask(port, path, timeoutMs)
    sockets.push(socket)
    answers.push(answered.then((ok) => {
      times.push(performance.now() - began)
      return ok
    }))
    const wait = began + ((index + 1) * overMs) / count - performance.now()
    if (wait > 1) await sleep(wait)
  }
  const ok = await Promise.all(answers)
  return {
    tookMs: times.at(-1),
    halfMs: times[Math.ceil(count / 2) - 1],
    errors: ok.filter((one) => !one).length,
    closed: () => sockets.filter((socket) => socket.destroyed || socket.readableEnded).length,
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

function ask(port, path, timeoutMs) {
  const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`))
  const answered = new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs)
    const settle = (ok) => {
      clearTimeout(timer)
      resolve(ok)
    }
    socket.setEncoding('latin1')
    socket.on('data', (text) => text.endsWith('hello\n') && settle(true))
    socket.on('error', () => settle(false))
    socket.on('close', () => settle(false))
  })
  return { socket, answered }
}
