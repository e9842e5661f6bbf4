/**
 * The log room of everycore alone, in a process of its own: lines of a worker in, bytes out to /dev/null or to a file.
 * Prints, as JSON, CPU nanoseconds for each line, in all threads.
 *
 * node log-lines.mjs <bundle of src/logs/logs.ts> <{ format, lines: 'text' | 'json', ringBytes, file }>
 */
import { Readable, Writable } from 'node:stream'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

const [bundle, text] = process.argv.slice(2)
const { format, lines, ringBytes, file } = JSON.parse(text)
const { createLogs, LogRing } = await import(pathToFileURL(bundle).href)

const TEXT = '127.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET /index.html HTTP/1.1" 200 2326 "-" "curl/8.5.0" 0.003\n'
const JSON_LINE = '{"level":30,"time":1795235771774,"pid":4712,"hostname":"web-1","req":{"method":"GET","url":"/"},"ms":3,"msg":"done"}\n'
const line = lines === 'json' ? JSON_LINE : TEXT
const chunk = Buffer.from(line.repeat(Math.floor(65_536 / line.length)))
const perChunk = Math.floor(65_536 / line.length)

const nobody = () => new Writable({ write: (_bytes, _encoding, done) => done() })
const files = file === undefined ? undefined : { file, errorFile: undefined, maxBytes: 10 * 1024 * 1024, everyMs: 0, keep: 2, maxAgeMs: 0 }
const logs = await createLogs({ format, color: format === 'pretty', name: 'bench', size: 2, stdout: nobody(), stderr: nobody(), files, ringBytes, verbosity: 'quiet', now: Date.now })
const stdout = new Readable({ read() {} })
logs.attachWorker({ slot: 0, pid: 4712, generation: 1 }, stdout, null)

async function feed(chunks) {
  for (let count = 0; count < chunks; count++) {
    stdout.push(chunk)
    await turn()
    // Only what is not dropped is measured.
    while (logs.stats().queuedBytes > 1024 * 1024) await sleep(1)
  }
  await logs.flush(10_000)
}

await feed(300)
const CHUNKS = 1500
const before = process.cpuUsage()
const began = performance.now()
await feed(CHUNKS)
const { user, system } = process.cpuUsage(before)
const ring = new LogRing()
for (let count = 0; count < 20_000; count++) ring.push(Date.now(), 0, 1, 'stdout', Buffer.from(line), false)
const follower = ring.follow({ n: 100, level: 'fatal' }, () => {})
let longestMs = 0
for (let more = true; more; ) {
  const asked = performance.now()
  more = follower.read().more
  longestMs = Math.max(longestMs, performance.now() - asked)
}
process.stdout.write(JSON.stringify({ nanoseconds: ((user + system) * 1000) / (CHUNKS * perChunk), wallMs: performance.now() - began, dropped: logs.stats().droppedLines, longestMs }))
process.exit()
