'use strict'
// node:cluster as people copy it from articles: fork n workers, fork again when one exits, SIGUSR2 restarts them one after the other.
// Usage: node cluster.cjs <rr|none> <workers> <script>
const cluster = require('node:cluster')

const [policy, workers, script] = process.argv.slice(2)
cluster.schedulingPolicy = policy === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR
cluster.setupPrimary({ exec: script, args: [] })

let stopping = false
cluster.on('exit', (worker) => {
  if (!stopping && !worker.exitedAfterDisconnect) cluster.fork()
})
process.on('SIGTERM', () => {
  stopping = true
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
// A rolling restart, as articles have it: one after the other, the new one listens before the old one is disconnected.
process.on('SIGUSR2', () => {
  const old = Object.values(cluster.workers)
  const next = () => {
    const worker = old.shift()
    if (worker === undefined) return
    cluster.fork().once('listening', () => {
      worker.exitedAfterDisconnect = true
      worker.once('exit', next)
      worker.disconnect()
      setTimeout(() => worker.process.kill('SIGKILL'), 5000).unref()
    })
  }
  next()
})
for (let index = 0; index < Number(workers); index += 1) cluster.fork()
