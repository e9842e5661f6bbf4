import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fixture } from '../harness/app.ts'
import { UnderLoad } from '../harness/load/everycore.ts'
import type { Mix } from '../harness/load/mix.ts'
import { assertNothingLost, describe } from '../harness/load/report.ts'

const MIX: Mix = { 'keep-alive': 10, fresh: 6, slow: 3, upload: 1, events: 2, websocket: 3, hunter: 6 }

/** How soon a client must know that its request is lost. */
const KNOWN_WITHIN_MS = 1000

const NEVER_SERVES: Readonly<Record<string, string>> = {
  'throws at once': 'throw new Error("a bad release")',
  'throws later': 'setTimeout(() => { throw new Error("a bad release") }, 100)',
  'cannot be parsed': 'function {',
  'never listens': 'setInterval(() => {}, 1000)',
  'ends at once': 'process.exit(0)',
}

test('releases that never serve change nothing: the old workers stay, and no request is lost', async (t) => {
  const under = await UnderLoad.start(t, { mix: MIX, options: ['--ready-timeout', '2s'] })
  const before = under.app.workerPids()
  for (const [what, text] of Object.entries(NEVER_SERVES)) {
    under.release(text)
    assert.equal((await under.reload()).event, 'reload:aborted', what)
  }
  under.removeRelease()
  assert.equal((await under.reload()).event, 'reload:refused', 'is not there')
  await under.load.settled(100)
  const report = await under.stop()
  t.diagnostic(describe(report))
  assertNothingLost(report)
  const others = report.entries.filter(({ pid }) => pid !== undefined && !before.includes(pid))
  assert.deepEqual(others, [], 'only the old workers have answered')
})

test('a release that serves and dies young costs only what was in it, and the old workers stay', async (t) => {
  const under = await UnderLoad.start(t, { mix: MIX })
  const before = under.app.workerPids()
  under.release(`${readFileSync(fixture('ledger.cjs'), 'utf8')}\nsetTimeout(() => process.exit(1), 500)`)
  assert.equal((await under.reload()).event, 'reload:aborted')
  const abortedAt = performance.now()
  const [, , died = 0] = under.app.records.flatMap(({ event, workerPid }) => (event === 'worker:spawned' && workerPid !== undefined ? [workerPid] : []))
  await under.load.settled(200)
  const report = await under.stop()
  t.diagnostic(describe(report))
  const { refused, stuck, wrong, error, declined } = report.fates
  assert.deepEqual({ refused, stuck, wrong, error, declined, flaws: report.flaws }, { refused: 0, stuck: 0, wrong: 0, error: 0, declined: 0, flaws: [] }, describe(report))
  assert.deepEqual(report.executed.filter(({ begun }) => begun.pid !== died), [], describe(report))
  assert.deepEqual([...report.executed, ...report.unseen].filter(({ settledAt }) => settledAt > abortedAt + KNOWN_WITHIN_MS), [], describe(report))
  const after = report.entries.filter(({ sentAt, fate }) => sentAt > abortedAt && fate === 'ok')
  assert.deepEqual(new Set(after.map(({ pid }) => pid)), new Set(before), `both old workers serve on, and nobody else\n${describe(report)}`)
})
