/** Runs a command line that somebody else has put together, word by word, as a service manager or a container would. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Ended, Scope } from './app.ts'
import { processesOf, RUN_VARIABLE } from './processes.ts'
import { until } from './until.ts'

export interface Service {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Both of its outputs. */
  readonly output: () => string
}

/** Starts it with this environment and no other; ends it with the test, and notices what it leaves behind. */
export function startService(t: Scope, [file = '', ...args]: readonly string[], { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> }): Service {
  const runId = randomUUID()
  const child = spawn(file, args, { cwd, env: { PATH: process.env['PATH'], ...env, [RUN_VARIABLE]: runId }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }))
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGQUIT')
    await ended
    await until(`nothing is left\n${output}`, () => processesOf(runId).length === 0, 5000)
  })
  return { child, ended, output: () => output }
}
