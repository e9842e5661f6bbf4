import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VerbCall } from '../../src/cli/verbs/call.ts'
import { Progress } from '../../src/cli/verbs/progress.ts'
import { waitFor } from '../../src/cli/verbs/waiting.ts'
import type { ReloadSlot, StatusReport } from '../../src/protocol/control.ts'
import { RESULT, serve } from '../harness/control.ts'
import { until } from '../harness/until.ts'

/** Of a supervisor that reloads one slot. */
const report = (slots: readonly ReloadSlot[], inFlight: number): StatusReport =>
  ({ size: 1, reload: { state: 'rolling', from: 1, to: 2, slots }, restart: null, workers: [{ slot: 0, generation: 1, inFlight }] }) as unknown as StatusReport

function call(isTTY: boolean): { readonly verb: VerbCall; readonly written: { out: string } } {
  const written = { out: '' }
  const stdout = { isTTY, columns: 80, rows: 24, write: (text: string) => (written.out += text) }
  return { written, verb: { args: [], flags: {}, env: {}, streams: { stdout, stderr: stdout }, color: false } }
}

for (const isTTY of [true, false]) {
  test(`a reload is shown ${isTTY ? 'in lines that change, with the requests that drain' : 'in a line for each step'}`, async (t) => {
    let finish: (() => void) | undefined
    const { path, listeners } = await serve(t, {
      status: () => report([{ slot: 0, step: 'draining', inFlight: 3 }], 3),
      reload: async () => new Promise((resolve) => (finish = () => resolve(RESULT))),
    })
    const { verb, written } = call(isTTY)
    const waiting = waitFor(verb, { path, method: 'reload', body: {}, onInterrupt: '', watcher: new Progress(verb) })
    await until('it has begun', () => finish !== undefined)
    for (const event of [{ type: 'worker:spawned', generation: 2 }, { type: 'worker:ready', generation: 2 }, { type: 'worker:draining', generation: 1 }]) {
      for (const listener of listeners) listener({ ...event, slot: 0, at: '' })
    }
    await until('it is shown', () => written.out.includes('old worker drains (3 in flight)'))
    for (const listener of listeners) listener({ type: 'worker:exited', generation: 1, slot: 0, at: '' })
    await until('it is shown', () => written.out.includes('done'))
    // On a terminal the report is asked for again and again; none must disturb.
    if (isTTY) await until('a report has come meanwhile', () => written.out.split('\u001B[1F').length > 5)
    finish?.()
    assert.equal((await waiting)?.generation, 2)
    if (isTTY) assert.ok(written.out.endsWith('\u001B[1F\u001B[J  slot 0    done\n'), JSON.stringify(written.out))
    else assert.equal(written.out, 'slot 0: booting\nslot 0: ready\nslot 0: old worker drains (3 in flight)\nslot 0: done\n')
  })
}
