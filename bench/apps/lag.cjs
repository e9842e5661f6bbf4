// Loaded into a primary: notes how late its timers are, and how much CPU it has used since the last one, and writes that down twice a second.
const cluster = require('node:cluster')
const { appendFileSync } = require('node:fs')
const { performance } = require('node:perf_hooks')

const EVERY_MS = 2
const WRITE_MS = 500

if (cluster.isPrimary && process.env.BENCH_LAG_FILE !== undefined && process.argv[1]?.endsWith('cli.cjs')) {
  let last = performance.now()
  let used = process.cpuUsage()
  let lates = []
  setInterval(() => {
    const now = performance.now()
    const { user, system } = process.cpuUsage(used)
    used = process.cpuUsage()
    lates.push([Math.max(0, now - last - EVERY_MS), (user + system) / 1000])
    last = now
  }, EVERY_MS).unref()
  setInterval(() => {
    appendFileSync(process.env.BENCH_LAG_FILE, `${JSON.stringify({ at: Date.now(), lates })}\n`)
    lates = []
  }, WRITE_MS).unref()
}
