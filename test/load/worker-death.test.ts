import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnderLoad } from '../harness/load/everycore.ts'
import { describe, type Report } from '../harness/load/report.ts'
import { isAlive } from '../harness/processes.ts'
import { until } from '../harness/until.ts'

const IN_FLIGHT = 16
/** How soon a client must know that its request is lost. */
const KNOWN_WITHIN_MS = 1000
/** How long a request may wait in a worker that has time. */
const UNREAD_MS = 500

/** What the death of workers may not do. */
function assertOnlyLost(report: Report, killed: readonly number[], killedAt: number): void {
  const { refused, stuck, wrong, error, declined } = report.fates
  assert.deepEqual({ refused, stuck, wrong, error, declined, flaws: report.flaws }, { refused: 0, stuck: 0, wrong: 0, error: 0, declined: 0, flaws: [] }, describe(report))
  assert.deepEqual(report.executed.filter(({ begun }) => !killed.includes(begun.pid)), [], `lost elsewhere\n${describe(report)}`)
  for (const { id, settledAt } of [...report.executed, ...report.unseen]) {
    assert.ok(settledAt > killedAt && settledAt < killedAt + KNOWN_WITHIN_MS, `${id} was lost ${Math.round(settledAt - killedAt)} ms after the kill\n${describe(report)}`)
  }
}

test('a worker that is killed with sixteen requests in it costs no more than these, and nobody is refused', async (t) => {
  const under = await UnderLoad.start(t, { mix: { slow: 2 * IN_FLIGHT + 8, fresh: 8, 'keep-alive': 8 } })
  let victim = 0
  await until('sixteen are in flight in one worker', () => {
    victim = under.app.workerPids().find((pid) => under.ledger.inFlight(pid).length >= IN_FLIGHT) ?? 0
    return victim !== 0
  })
  const killedAt = performance.now()
  process.kill(victim, 'SIGKILL')
  await until('it is gone', () => !isAlive(victim))
  const begun = under.ledger.inFlight(victim).length
  await under.app.event('worker:ready', ({ generation }) => generation === 1, 3)
  await under.load.settled(200)
  const report = await under.stop()
  t.diagnostic(describe(report))
  assertOnlyLost(report, [victim], killedAt)
  assert.ok(report.executed.length <= begun, `${begun} were in flight there\n${describe(report)}`)
  assert.deepEqual(report.unseen.filter(({ sentAt }) => sentAt < killedAt - UNREAD_MS), [], `what was not begun had only just come\n${describe(report)}`)
  assert.ok(report.entries.some(({ sentAt, fate }) => fate === 'ok' && sentAt > killedAt + 50), 'the others serve on')
})

test('when all workers are killed at once, nobody is refused', async (t) => {
  const under = await UnderLoad.start(t, { mix: { fresh: 16, 'keep-alive': 8, slow: 8 } })
  const pids = under.app.workerPids()
  const killedAt = performance.now()
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await under.app.event('worker:ready', () => true, 4)
  await under.load.settled(200)
  const report = await under.stop()
  t.diagnostic(describe(report))
  assertOnlyLost(report, pids, killedAt)
  const inTheGap = report.entries.filter(({ fate, connectAt, settledAt }) => fate === 'ok' && connectAt > killedAt && settledAt < killedAt + 3000)
  assert.ok(inTheGap.length > 0, `those who came meanwhile were answered\n${describe(report)}`)
})
