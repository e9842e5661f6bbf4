/** Reads the files that apps/ready.cjs writes: one for each worker that listens. */
import { readFileSync, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'

/** All that are there, by the time at which they listened. */
export function readReady(directory) {
  const found = []
  for (const name of readdirSync(directory)) {
    if (!name.endsWith('.json')) continue
    const entry = JSON.parse(readFileSync(join(directory, name), 'utf8'))
    found.push({ ...entry, at: Number(entry.at) / 1e6, startedAt: Number(entry.startedAt) / 1e6 })
  }
  return found.sort((a, b) => a.at - b.at)
}

/** Waits until `reached(entries)`; by inotify, since polling would take CPU time from what is measured. */
export function waitReady(directory, reached, timeoutMs = 30_000) {
  return new Promise((resolve, reject) => {
    const check = () => {
      const entries = readReady(directory)
      if (!reached(entries)) return
      stop()
      resolve(entries)
    }
    const watcher = watch(directory, check)
    const poll = setInterval(check, 250)
    const timer = setTimeout(() => {
      stop()
      reject(new Error(`workers not ready after ${timeoutMs} ms: ${readReady(directory).length} listen`))
    }, timeoutMs)
    const stop = () => {
      watcher.close()
      clearInterval(poll)
      clearTimeout(timer)
    }
    check()
  })
}

/** Now, on the clock of the ready files, in ms. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6
}
