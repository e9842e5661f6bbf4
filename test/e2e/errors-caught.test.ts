import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Program } from '../harness/program.ts'

for (const [way, errors] of [['domain', 0], ['capture', 0], ['monitor', 1]] as const) {
  test(`an error that the app survives (${way}) is not told as the reason of a later exit`, async (t) => {
    const program = Program.start(
      t,
      `
      const supervisor = await createSupervisor({ script: 'catches.cjs', workers: 1, port: 0 })
      supervisor.on('worker:error', ({ error }) => report('error', error.message))
      supervisor.once('worker:exited', async ({ exit }) => {
        report('exited', exit)
        await supervisor.stop()
      })
      await supervisor.start()
    `,
      { WAY: way },
    )
    assert.deepEqual(await program.report('exited'), { code: 9, signal: null })
    assert.equal(program.reports.filter(({ name }) => name === 'error').length, errors)
    assert.equal(await program.ended, 0)
  })
}
