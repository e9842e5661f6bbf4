import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Guardian, GUARDIAN_SCRIPT, toolPath } from '../../src/primary/guardian.ts'

const skip = process.platform === 'win32' && 'there is no guardian on Windows'

/** A process that leads a group of its own and stays, as a worker does. */
function worker(t: TestContext): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  return child
}

test('without date and sleep the guardian kills at once, and does not spin', { skip }, async (t) => {
  const empty = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(empty, { recursive: true, force: true }))
  const watched = worker(t)
  const guardian = spawn('/bin/sh', ['-c', GUARDIAN_SCRIPT, 'everycore-guardian'], { env: { PATH: empty }, stdio: ['pipe', 'ignore', 'ignore'] })
  t.after(() => guardian.kill('SIGKILL'))
  const killed = once(watched, 'exit', { signal: AbortSignal.timeout(5000) })
  const over = once(guardian, 'exit', { signal: AbortSignal.timeout(5000) })
  guardian.stdin.end(`t 60\n+ ${watched.pid}\n`)
  assert.deepEqual(await killed, [null, 'SIGKILL'])
  assert.deepEqual(await over, [0, null])
})

test('the tools are looked for where they usually are, and then where PATH says', () => {
  assert.equal(toolPath({ PATH: '/run/current-system/sw/bin' }), '/usr/bin:/bin:/run/current-system/sw/bin')
  assert.equal(toolPath({}), '/usr/bin:/bin')
  assert.equal(toolPath({ PATH: '' }), '/usr/bin:/bin')
})

for (const [what, shell, says] of [
  ['cannot be started', '/nonexistent/sh', /cannot be started.*\/nonexistent\/sh.*ENOENT/],
  ['ends by itself', process.execPath, /has ended \(exit code \d+\)/],
] as const) {
  test(`a guardian that ${what} is missed`, { skip }, async () => {
    let guardian: Guardian | undefined
    // The guardian itself keeps no process alive.
    const awake = setInterval(() => {}, 1000)
    const warning = await new Promise<string>((warn) => {
      guardian = new Guardian({ drainTimeoutMs: 1000, shell, warn })
    })
    clearInterval(awake)
    guardian?.end()
    assert.match(warning, says)
  })
}
