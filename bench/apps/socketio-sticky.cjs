'use strict'
// The primary of @socket.io/sticky, as its README has it. Usage: node socketio-sticky.cjs <workers> <script>
const cluster = require('node:cluster')
const http = require('node:http')
const { join } = require('node:path')

const { BENCH_MODULES, BENCH_PORT } = process.env
const { setupMaster } = require(join(BENCH_MODULES, '@socket.io/sticky'))

const [workers, script] = process.argv.slice(2)
const server = http.createServer()
setupMaster(server, { loadBalancingMethod: 'least-connection' })
cluster.setupPrimary({ exec: script, args: [], serialization: 'advanced' })
server.listen(Number(BENCH_PORT), '127.0.0.1', () => {
  for (let index = 0; index < Number(workers); index += 1) cluster.fork()
})

process.on('SIGTERM', () => {
  const left = Object.values(cluster.workers)
  let count = left.length
  for (const worker of left) {
    worker.process.once('exit', () => {
      count -= 1
      if (count === 0) process.exit(0)
    })
    worker.process.kill('SIGKILL')
  }
})
