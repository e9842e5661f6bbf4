/** Claim: `everycore status` answers within 150 ms as a whole process, also while a reload runs and while a worker hangs, and 500 clients at a time disturb nobody. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runAlone } from './lib/bench.mjs'
import { everycore } from './lib/everycore.mjs'
import { format, formatSpread, median, table } from './lib/numbers.mjs'
import { choosePeers, PEERS } from './lib/peers.mjs'
import { now } from './lib/ready.mjs'
import { inTurns } from './lib/rounds.mjs'
import { APPS, signal, sleep } from './lib/session.mjs'

const run = promisify(execFile)

const CLIENTS = 500
/** Before and while they come. */
const CALM_MS = 3000
const CROWD_MS = 6000

export const bench = {
  name: 'status',
  title: 'everycore status as a whole process, and 500 clients of the control socket',
  usesWrk: false,
  async run(context) {
    await runStatus(context)
    await runCrowd(context)
  },
}

/** Never kills who hangs, so that it hangs in every round. */
const OURS = everycore({ args: ['--name', 'bench', '--hang-timeout', '0', '--min-uptime', '2s'] })

async function runStatus({ session, node, options, report }) {
  const { workers, rounds = 11 } = options
  const script = join(APPS, 'small.cjs')
  const keys = choosePeers({ session, node, options }, ['everycore', 'pm2'])
  const ours = await OURS.start(session, { script, workers, node })
  const pm2 = keys.includes('pm2') ? await PEERS.pm2.start(session, { script, workers, node }) : undefined
  const verb = (...argv) => run(node.path, [join(session.package, 'dist/cli.cjs'), ...argv], { env: session.environment(node, { EVERYCORE_RUNTIME_DIR: runtimeDirectory(session, node), RUNTIME_DIRECTORY: runtimeDirectory(session, node) }) })
  const [hung] = ours.pids.workers
  const cases = {
    'node -e 0': () => run(node.path, ['-e', '0']),
    'everycore status': () => verb('status'),
    'everycore status --json': () => verb('status', '--json'),
    'while a worker hangs': () => verb('status', '--json'),
    'while a reload runs': () => verb('status', '--json'),
    ...(pm2 !== undefined && { 'pm2 jlist': () => pm2.ask('jlist') }),
  }
  const prepare = {
    'while a worker hangs': () => signal(hung, 'SIGSTOP'),
    'while a reload runs': async () => {
      signal(ours.pids.primary, 'SIGUSR2')
      await sleep(100)
    },
  }
  const clear = {
    'while a worker hangs': () => signal(hung, 'SIGCONT'),
    'while a reload runs': () => untilCalm(verb),
  }
  // The workers of the first generation go with the first reload: what hangs must come before it.
  const order = Object.keys(cases).filter((name) => name !== 'while a reload runs')
  for (const name of order) await cases[name]()
  const once = async (name) => {
    await prepare[name]?.()
    const began = now()
    await cases[name]()
    const tookMs = now() - began
    await clear[name]?.()
    return tookMs
  }
  const results = await inTurns(order, rounds, once)
  results['while a reload runs'] = []
  for (let round = 0; round < Math.min(rounds, 5); round += 1) results['while a reload runs'].push(await once('while a reload runs'))
  report.keep('status', results)
  report.print(table(['', 'ms', 'less node -e 0'], Object.keys(cases).map((name) => [name, formatSpread(results[name]), format(median(results[name]) - median(results['node -e 0']))])))
  report.print()
  for (const name of ['everycore status', 'everycore status --json', 'while a worker hangs', 'while a reload runs']) report.atMost(`${name}: whole process`, median(results[name]), 150, ' ms')
  await ours.stop().catch(() => {})
  await pm2?.stop()
}

async function untilCalm(verb) {
  for (;;) {
    const { stdout } = await verb('status', '--json')
    const { reload, workers, size } = JSON.parse(stdout)
    if (reload === null && workers.length === size) return
    await sleep(100)
  }
}

const runtimeDirectory = (session, node) => join(session.directory, `run-${node.major}`)

async function runCrowd({ session, node, options, report }) {
  const file = join(session.makeDirectory('lag'), `lag-${node.major}`)
  const peer = await everycore({ args: ['--name', 'crowd', '--min-uptime', '100ms'] }).start(session, {
    script: join(APPS, 'small.cjs'),
    workers: options.workers,
    node,
    env: { BENCH_LAG_FILE: file, NODE_OPTIONS: `--require ${join(APPS, 'lag.cjs')}` },
  })
  const socketPath = join(runtimeDirectory(session, node), 'crowd.sock')
  await ask(socketPath, 'GET', '/v1/status')
  await sleep(CALM_MS)
  const from = Date.now()
  const answers = await crowd(socketPath, from + CROWD_MS)
  const until = Date.now()
  await sleep(1000)
  const lates = lagsOf(file)
  const before = lates.filter(({ at }) => at > from - CALM_MS + 1000 && at < from).flatMap((entry) => entry.lates)
  const during = lates.filter(({ at }) => at >= from + 500 && at <= until).flatMap((entry) => entry.lates)
  const lateBy = percentiles(during.map(([late]) => late))
  // What others on this machine take from it is no doing of ours: of a delay at most as much as it has used the CPU for.
  const own = percentiles(during.map(([late, cpu]) => Math.min(late, cpu)))
  report.keep('crowd', { answers, lateBy, own })
  report.print(`\n${CLIENTS} clients at a time, each with the next question when it has its answer: ${Object.entries(answers).map(([what, count]) => `${count} ${what}`).join(', ')}`)
  report.print(table(['loop of the supervisor is late by ms', 'p50', 'p99', 'max'], [['before', ...percentiles(before.map(([late]) => late))], ['meanwhile', ...lateBy], ['meanwhile, by its own doing', ...own]].map(([name, ...figures]) => [name, ...figures.map((figure) => format(figure))])))
  report.print()
  report.atMost('questions without an answer', answers.lost ?? 0, 0)
  report.atMost('loop of the supervisor, p99', lateBy[1], 20, ' ms')
  await peer.stop().catch(() => {})
}

function lagsOf(file) {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line)) : []
}

function percentiles(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return [0.5, 0.99, 1].map((part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN)
}

/** Most ask how it is; some change something, which takes its time. */
function anyQuestion() {
  const chance = Math.random()
  if (chance < 0.98) return ['GET', '/v1/status']
  if (chance < 0.982) return ['POST', '/v1/reload']
  if (chance < 0.99) return ['POST', '/v1/reload/abort']
  if (chance < 0.992) return ['POST', '/v1/scale', { size: 2 }]
  return ['GET', '/v1/nothing']
}

/** How many answers of which kind came until the end. Whoever waits for a change then is not counted. */
async function crowd(socketPath, end) {
  const answers = {}
  const client = async () => {
    while (Date.now() < end) {
      const what = await ask(socketPath, ...anyQuestion())
      answers[what] = (answers[what] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return answers
}

/** The status, or `lost`. */
function ask(socketPath, method, path, body) {
  const text = body === undefined ? '' : JSON.stringify(body)
  return new Promise((resolve) => {
    const asked = request({ socketPath, method, path, agent: false, headers: { host: 'x', ...(text !== '' && { 'content-type': 'application/json', 'content-length': text.length }) } }, (response) => {
      response.on('error', () => resolve('lost'))
      response.resume().once('end', () => resolve(`x ${response.statusCode}`))
    })
    asked.on('error', () => resolve('lost'))
    asked.end(text)
  })
}

await runAlone(bench, import.meta.url)
