import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { UnderLoad } from '../harness/load/everycore.ts'
import { PLAIN_MIX, SECURE_MIX, type Mix } from '../harness/load/mix.ts'
import { assertNothingLost, assertOnlyFrom, describe } from '../harness/load/report.ts'

const RELOADS = 10
/** Long enough for clients to have a say, in the generation of each reload. */
const TRIAL_MS = 200

/** Reloads of an unmodified app; the clients know nothing of it. */
async function reloadUnder(t: TestContext, mix: Mix): Promise<void> {
  const under = await UnderLoad.start(t, { mix, minUptimeMs: TRIAL_MS })
  const finished: { readonly generation: number; readonly at: number }[] = []
  for (let nth = 1; nth <= RELOADS; nth += 1) {
    const record = await under.reload()
    assert.equal(record.event, 'reload:finished', under.app.transcript)
    finished.push({ generation: Number(record['generation']), at: performance.now() })
  }
  await under.load.settled(100)
  const report = await under.stop()
  t.diagnostic(describe(report))
  assertNothingLost(report)
  for (const [index, { generation, at }] of finished.entries()) assertOnlyFrom(report, generation, at, finished[index + 1]?.at ?? Number.POSITIVE_INFINITY)
  assert.equal(new Set(report.entries.map(({ kind }) => kind)).size, Object.keys(mix).length, 'every kind of client has asked')
}

suite('twenty reloads under clients of every kind lose no request, and leave no old code behind', { concurrency: 2 }, () => {
  test('ten under HTTP/1.1, with uploads, downloads, events and WebSockets', async (t) => reloadUnder(t, PLAIN_MIX))
  test('ten under TLS and HTTP/2', async (t) => reloadUnder(t, SECURE_MIX))
})
