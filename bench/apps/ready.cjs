'use strict'
// Tells the bench that this worker listens: one file for each process, with times of the monotonic clock,
// which all processes of a machine share. Every peer pays the same for it.
const fs = require('node:fs')
const { join } = require('node:path')

module.exports = function ready(port) {
  const at = process.hrtime.bigint()
  const directory = process.env.BENCH_READY_DIR
  if (directory === undefined) return
  const startedAt = at - BigInt(Math.round(performance.now() * 1e6))
  const preload = globalThis[Symbol.for('bench.preload')]
  const path = join(directory, String(process.pid))
  fs.writeFileSync(`${path}.tmp`, JSON.stringify({ pid: process.pid, port, at: String(at), startedAt: String(startedAt), preload }))
  fs.renameSync(`${path}.tmp`, `${path}.json`)
}
