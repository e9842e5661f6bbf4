/** `everycore top`: the live view. It is a bundle of its own, `top.cjs`, which nobody else has to load. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { isatty } from 'node:tty'
import { EverycoreError } from '../../base/errors.ts'
import { EXIT } from '../../base/exit-codes.ts'
import { call, follow } from '../../control/client.ts'
import type * as TopBundle from '../../top/run.ts'
import type { TopPorts } from '../../top/run.ts'
import { isSet, type VerbCall } from './call.ts'
import { findApp } from './find-app.ts'
import { feedLogs } from './log-feed.ts'

/** Of the logs, to begin with. */
const FIRST_LINES = 500

export async function runTop(verb: VerbCall): Promise<number> {
  const { env, streams, args, color } = verb
  const { stdin, stdout } = process
  if (isSet(verb, 'json')) throw new EverycoreError('ERR_EVERYCORE_USAGE', 'top is for people', { hint: 'everycore status --json tells the same, once.' })
  const isTerminal = streams.stdout.isTTY === true && isatty(0)
  const obstacle = !isTerminal ? 'stdin or stdout is none' : env['TERM'] === 'dumb' ? 'TERM=dumb cannot move its cursor' : (env['CI'] ?? '') === '' ? undefined : 'this is a CI job (CI is set)'
  if (obstacle !== undefined) throw new EverycoreError('ERR_EVERYCORE_USAGE', 'top needs a terminal', { why: obstacle, hint: 'everycore status tells the same, once; everycore logs -f follows the lines.' })
  const { path, name } = await findApp(verb, args[0])
  const report = await call(path, 'status')
  const filename = join(import.meta.dirname, 'top.cjs')
  const { runTop: run } = createRequire(filename)(filename) as typeof TopBundle
  const end = await run(portsOf(path), { stdin, stdout, report, color, unicode: isUtf8(env) })
  if (end.why === 'gone') throw new EverycoreError('ERR_EVERYCORE_NOT_RUNNING', `${name} does not answer any more`, { why: end.said, hint: 'everycore ls lists the apps that run.' })
  // As whoever does not listen to it: the parent sees which signal it was.
  if (end.why === 'signal' && end.signal !== 'SIGINT') process.kill(process.pid, end.signal)
  // A question that is still open, to a supervisor that hangs for instance, would keep the process.
  process.exit(EXIT.ok)
}

function portsOf(path: string): TopPorts {
  return {
    status: async () => call(path, 'status'),
    events: async (onEvent, signal) => follow(path, 'events', {}, onEvent, signal),
    logs: async ({ line, missed }, signal) => feedLogs({ socketPath: path, query: {}, lines: FIRST_LINES, follow: true, signal }, { begin: () => {}, live: () => {}, line, missed }),
    reload: async () => result(await follow(path, 'reload', {}, () => {})),
    scale: async (size) => result(await follow(path, 'scale', { size }, () => {})),
  }
}

function result<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new EverycoreError('ERR_EVERYCORE_CONTROL', 'the supervisor ended before it was done')
  return value
}

/** By the order of setlocale(3). */
function isUtf8(env: VerbCall['env']): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '')
  return locale !== undefined && /utf-?8/i.test(locale)
}
