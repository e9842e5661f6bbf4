/** Faults of the supervisor itself, and of the clock that it must not go by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { until } from '../harness/until.ts'

/** Runs in each process of Node before anything else. */
const preloaded = (source: string): Readonly<Record<string, string>> => ({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` })

test('supervisor killed and started again in a loop: it serves again, and no worker of the old one with it', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  const old = app.workerPids()
  const inFlight = get({ port: app.port }, '/slow?ms=500')
  await until('a request is under way', async () => (await get({ port: app.port })).status === 200)
  app.kill('SIGKILL')
  let next: App | undefined
  await until('a new supervisor serves', async () => {
    const attempt = await App.start(t, 'web.cjs', { env: { PORT: String(app.port) } })
    const started = await Promise.race([attempt.event('primary:started').then(() => true, () => false), attempt.ended.then(() => false)])
    if (started) next = attempt
    return started
  })
  assert.equal((await inFlight).status, 200)
  const answers = await Promise.all(Array.from({ length: 20 }, async () => (JSON.parse((await get({ port: app.port }, '/slow?ms=5')).body) as { pid: number }).pid))
  assert.deepEqual(answers.filter((pid) => old.includes(pid)), [])
  await until('nothing of the old one is left', () => app.leftovers().length === 0)
  assert.deepEqual(await next?.stop(), { code: 0, signal: null })
})

test('internal exception of the supervisor: it is told as a defect, and supervision goes on', async (t) => {
  const source = `if (/cli\\.cjs$/.test(process.argv[1])) process.on('SIGWINCH', () => { setTimeout(() => { throw new Error('a defect') }); Promise.reject(new Error('another defect')) })`
  const app = await App.ready(t, 'web.cjs', { env: preloaded(source) })
  app.kill('SIGWINCH')
  await app.record('both', ({ msg }) => /^a defect of everycore, please report it: Error: a(nother)? defect/.test(msg), 2)
  const [pid = 0] = app.workerPids()
  process.kill(pid, 'SIGKILL')
  await app.event('worker:ready', ({ slot }) => slot === 0, 2)
  app.kill('SIGUSR2')
  await app.event('reload:finished')
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
})

test('clock jumps of a day, forward and back: nobody is killed, and what waits is neither sooner nor later', async (t) => {
  const source = `
    let shift = 0
    const steps = [864e5, -2 * 864e5]
    const RealDate = Date
    globalThis.Date = class extends RealDate {
      constructor(...args) { super(...(args.length === 0 ? [RealDate.now() + shift] : args)) }
      static now() { return RealDate.now() + shift }
    }
    process.on('SIGWINCH', () => { shift += steps.shift() ?? 0 })`
  const app = await App.ready(t, 'web.cjs', { options: ['--hang-timeout', '1s', '--graceful-timeout', '10s'], env: preloaded(source) })
  const everybody = [app.pid, ...app.workerPids()]
  for (let jump = 1; jump <= 2; jump += 1) {
    for (const pid of everybody) process.kill(pid, 'SIGWINCH')
    // Longer than the hang timeout, under way while the clock is wrong.
    assert.equal((await get({ port: app.port }, '/slow?ms=1500')).status, 200)
  }
  assert.deepEqual(app.records.filter(({ event }) => event === 'worker:exited' || event === 'worker:stalled'), [])
  const jumped = app.records.find(({ msg }) => /reloaded/.test(msg))
  assert.equal(jumped, undefined)
  const slow = get({ port: app.port }, '/slow?ms=700')
  await until('it is under way', async () => (await get({ port: app.port })).status === 200)
  for (const pid of everybody) process.kill(pid, 'SIGWINCH')
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  assert.equal((await slow).status, 200)
})
