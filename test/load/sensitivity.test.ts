/** A harness that cannot fail proves nothing: here it must. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { UnderLoad } from '../harness/load/everycore.ts'
import { sabotaged } from '../harness/load/sabotage.ts'
import { ClusterUnderLoad, type Way } from '../harness/load/cluster.ts'
import type { Mix } from '../harness/load/mix.ts'
import { assertNothingLost, assertOnlyFrom, describe, type Report } from '../harness/load/report.ts'

const MIX: Mix = { 'keep-alive': 8, fresh: 4, slow: 4, events: 1, hunter: 24 }
const RELOADS = 10

/** Reloads until a request is lost, or often enough. */
async function reloadUnder(t: TestContext, way: Way, reloads = RELOADS): Promise<Report> {
  const under = await ClusterUnderLoad.start(t, way, MIX)
  const isLost = (): boolean => under.load.accounts.entries.some(({ fate }) => fate.startsWith('lost'))
  for (let nth = 0; nth < reloads && !isLost(); nth += 1) await under.reload()
  const report = await under.load.stop()
  t.diagnostic(describe(report))
  return report
}

test('the control: a reload that is written with care loses nothing here either', async (t) => {
  assertNothingLost(await reloadUnder(t, 'careful', 4))
})

test('a reload that kills the old worker first is caught: requests were begun and not answered', async (t) => {
  const report = await reloadUnder(t, 'kill-old-first')
  assert.throws(() => assertNothingLost(report))
  assert.ok(report.executed.length > 0, describe(report))
})

test('a worker that exits when it is told to drain is caught', async (t) => {
  const report = await reloadUnder(t, 'exit')
  assert.throws(() => assertNothingLost(report))
  assert.ok(report.executed.length > 0, describe(report))
})

test('idle connections that are closed at once are caught, by the hunters alone', async (t) => {
  const report = await reloadUnder(t, 'close-idle')
  assert.throws(() => assertNothingLost(report))
  assert.ok(report.unseen.length > 0, describe(report))
})

test('old code that goes on serving is caught', async (t) => {
  const under = await ClusterUnderLoad.start(t, 'keep-old', MIX)
  const generation = await under.reload()
  const at = performance.now()
  await under.load.settled(100)
  const report = await under.load.stop()
  assertNothingLost(report)
  assert.throws(() => assertOnlyFrom(report, generation, at, Number.POSITIVE_INFINITY), /generation 1/)
})

test('everycore itself is caught when its workers do not let idle connections linger', async (t) => {
  const command = sabotaged(t, { file: 'worker/hook.cjs', from: /case"idle":return[^;]+;/, to: 'case"idle":return!0;' })
  // Those that move to another worker need not linger.
  const under = await UnderLoad.start(t, { mix: MIX, command, options: ['--no-rebalance'] })
  const isLost = (): boolean => under.load.accounts.entries.some(({ fate }) => fate.startsWith('lost'))
  for (let nth = 0; nth < RELOADS && !isLost(); nth += 1) await under.reload()
  const report = await under.stop()
  t.diagnostic(describe(report))
  assert.throws(() => assertNothingLost(report))
})

test('everycore itself is caught when its workers go on accepting while they drain', async (t) => {
  const command = sabotaged(t, { file: 'worker/hook.cjs', from: /listeners\.stopAccepting\(\)/, to: '0' })
  const under = await UnderLoad.start(t, { mix: MIX, command })
  const generation = Number((await under.reload())['generation'])
  const at = performance.now()
  await under.load.settled(200)
  const report = await under.stop()
  assert.throws(() => assertOnlyFrom(report, generation, at, Number.POSITIVE_INFINITY), /generation 1/)
})
