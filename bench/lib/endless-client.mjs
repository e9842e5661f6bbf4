/** Keep-alive connections that never pause: the next request follows each answer. Every request is accounted for. */
import { connect } from 'node:net'

const REQUEST = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n'

/** @returns `{ counts, stop }`: what is counted so far, and the end, which gives `{ requests, errors, told }`: answers, requests without one, and connections that ended as the answer had said */
export function neverPause(port, count) {
  const counts = { requests: 0, errors: 0, told: 0 }
  const over = new AbortController()
  const lanes = Array.from({ length: count }, async () => {
    while (!over.signal.aborted) await conversation(port, counts, over.signal)
  })
  return {
    counts,
    async stop() {
      over.abort()
      await Promise.all(lanes)
      return counts
    },
  }
}

function conversation(port, counts, over) {
  return new Promise((resolve) => {
    let text = ''
    let isAsked = false
    let isTold = false
    const next = () => {
      if (over.aborted || isTold) {
        socket.end()
        return
      }
      text = ''
      isAsked = true
      socket.write(REQUEST)
    }
    const socket = connect(port, '127.0.0.1', next)
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      text += chunk
      if (!text.endsWith('hello\n')) return
      counts.requests += 1
      isAsked = false
      isTold = /^connection: close\r$/im.test(text)
      if (isTold) counts.told += 1
      next()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      if (isAsked) counts.errors += 1
      resolve()
    })
  })
}
