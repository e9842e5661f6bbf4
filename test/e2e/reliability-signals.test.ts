/** Many orders at once: one well-defined end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { App } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { chooseSeed, stream } from '../harness/load/seed.ts'
import { Program } from '../harness/program.ts'

const STORM: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGUSR1', 'SIGUSR2']
const SIGNALS = 500

test('signal storm: 500 signals within a second, SIGTERM last, are one stop', async (t) => {
  const seed = chooseSeed()
  t.diagnostic(`seed ${seed}`)
  const random = stream(seed, 'signals')
  const app = await App.ready(t, 'web.cjs')
  for (let sent = 0; sent < SIGNALS; sent += 1) {
    app.kill(random.pick(STORM))
    if (sent % 50 === 0) assert.equal((await get({ port: app.port })).status, 200)
  }
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  const count = (name: string): number => app.records.filter(({ event }) => event === name).length
  assert.equal(count('primary:stopping'), 1)
  const waiting = count('reload:finished') + count('reload:aborted') - count('reload:started')
  assert.ok(waiting === 0 || waiting === 1, 'each reload is answered, and the one that waits')
  assert.equal(count('worker:spawned'), count('worker:exited'))
})

test('reload during reload, five times: one more follows, and nobody of an older generation is left', async (t) => {
  const app = await App.ready(t, 'web.cjs')
  let live = 0
  let most = 0
  app.onRecord(({ event }) => {
    if (event === 'worker:spawned') live += 1
    if (event === 'worker:draining') live -= 1
    most = Math.max(most, live)
  })
  app.kill('SIGUSR2')
  await app.event('reload:started')
  for (let count = 0; count < 5; count += 1) {
    app.kill('SIGUSR2')
    await get({ port: app.port })
  }
  await app.event('reload:finished', ({ generation }) => generation === 3)
  const generations = await Promise.all(Array.from({ length: 20 }, async () => (JSON.parse((await get({ port: app.port }, '/slow?ms=5')).body) as { generation: string }).generation))
  assert.deepEqual(new Set(generations), new Set(['3']))
  assert.equal(app.records.filter(({ event }) => event === 'reload:started').length, 2)
  assert.ok(most <= 1, `${most} more than usual`)
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
})

test('scale up and down during a reload: the last number wins, all of the new generation, and at no time nobody serves', async (t) => {
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 2, port: 0, minUptimeMs: 200 })
    const ready = () => supervisor.snapshot.workers.filter(({ phase }) => phase === 'ready')
    await supervisor.start()
    let least = 2
    for (const name of ['worker:ready', 'worker:draining', 'worker:exited']) supervisor.on(name, () => (least = Math.min(least, ready().length)))
    const reload = supervisor.reload()
    await new Promise((resolve) => supervisor.once('worker:ready', resolve))
    const scales = [4, 1, 5, 3].map((size) => supervisor.scale(size).then(() => size, () => 'replaced'))
    report('scales', await Promise.all(scales))
    await reload
    await supervisor.scale(3)
    report('end', { slots: ready().map(({ slot }) => slot).sort(), generations: [...new Set(ready().map(({ generation }) => generation))], servedAlways: least > 0 })
    await supervisor.stop()
  `,
  )
  assert.deepEqual(await program.report('scales'), ['replaced', 'replaced', 'replaced', 3])
  assert.deepEqual(await program.report('end'), { slots: [0, 1, 2], generations: [2], servedAlways: true })
  assert.equal(await program.ended, 0)
})
