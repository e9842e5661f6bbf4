import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnderLoad } from '../harness/load/everycore.ts'
import { PLAIN_MIX } from '../harness/load/mix.ts'
import { assertNothingLost, describe } from '../harness/load/report.ts'

const PAUSED_MS = 5000
const WORKERS = 2
const LATE_MS = 2000

test('a supervisor that is stopped for five seconds costs no request and no worker', async (t) => {
  const under = await UnderLoad.start(t, { mix: PLAIN_MIX, workers: WORKERS })
  under.app.kill('SIGSTOP')
  const stoppedAt = performance.now()
  await new Promise((resolve) => setTimeout(resolve, PAUSED_MS))
  under.app.kill('SIGCONT')
  const continuedAt = performance.now()
  await under.load.settled(200)
  const report = await under.stop()
  t.diagnostic(describe(report))
  assertNothingLost(report)
  const meanwhile = report.entries.filter(({ connectAt, settledAt }) => connectAt > stoppedAt && settledAt < continuedAt)
  assert.ok(meanwhile.length > 50, `new connections were answered meanwhile: ${meanwhile.length}`)
  const late = report.entries.filter(({ kind, connectAt, settledAt }) => kind === 'fresh' && settledAt - connectAt > LATE_MS)
  assert.ok(late.length <= WORKERS, `only what a worker was just handing over waits for the supervisor: ${late.length}`)
  assert.equal(under.app.records.filter(({ event }) => event === 'worker:spawned').length, WORKERS, under.app.transcript)
})
