'use strict'
// What a primary can do at best with SO_REUSEPORT: it holds one socket for each worker and never accepts. The kernel
// spreads, nothing is handed over. Usage: node held-reuseport.cjs <workers> <script>
const { fork } = require('node:child_process')
const net = require('node:net')

/** UV_TCP_REUSEPORT, of libuv 1.49. */
const REUSEPORT = 2

const [workers, script] = process.argv.slice(2)
const held = []
const children = []
for (let index = 0; index < Number(workers); index += 1) {
  const handle = net._createServerHandle('127.0.0.1', Number(process.env.BENCH_PORT), 4, undefined, REUSEPORT)
  // An address in use is told only here.
  const name = {}
  if (typeof handle === 'number' || handle.getsockname(name) !== 0 || name.port !== Number(process.env.BENCH_PORT)) throw new Error('cannot bind')
  held.push(handle)
}
for (const handle of held) {
  const child = fork(script, [], { env: { ...process.env, BENCH_LISTEN: 'held' } })
  child.send({}, handle, { keepOpen: true })
  children.push(child)
}
process.on('SIGTERM', () => {
  let count = children.length
  for (const child of children) {
    child.once('exit', () => {
      count -= 1
      if (count === 0) process.exit(0)
    })
    child.kill('SIGKILL')
  }
})
