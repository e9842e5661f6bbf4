/** The bundle of the verbs: parses the command line of one, and runs it. What starts an app is in `main.ts`. */
import { EverycoreError } from '../../base/errors.ts'
import { EXIT } from '../../base/exit-codes.ts'
import { colorFor } from '../../config/color.ts'
import type { Environment } from '../../config/collect.ts'
import type { Streams } from '../streams.ts'
import { reportError, toEverycoreError } from '../report-error.ts'
import type { VerbName } from '../verbs.ts'
import type { RunVerb } from './call.ts'
import { parseVerb } from './parse.ts'
import { CONTROL_SCHEMA } from '../../protocol/control.ts'

/** Each loads only what it needs. */
const RUN: Readonly<Record<VerbName, () => Promise<RunVerb>>> = {
  check: async () => (await import('./check.ts')).runCheck,
  config: async () => (await import('./config.ts')).runConfig,
  init: async () => (await import('./init.ts')).runInit,
  migrate: async () => (await import('./migrate.ts')).runMigrate,
  logs: async () => (await import('./logs.ts')).runLogs,
  status: async () => (await import('./status.ts')).runStatus,
  health: async () => (await import('./health.ts')).runHealth,
  ls: async () => (await import('./ls.ts')).runLs,
  reload: async () => (await import('./reload.ts')).runReload,
  restart: async () => (await import('./restart.ts')).runRestart,
  stop: async () => (await import('./stop.ts')).runStop,
  scale: async () => (await import('./scale.ts')).runScale,
  inspect: async () => (await import('./inspect.ts')).runInspect,
  profile: async () => (await import('./profile.ts')).runProfile,
  doctor: async () => (await import('./doctor.ts')).runDoctor,
  completion: async () => (await import('./completion.ts')).runCompletion,
  generate: async () => (await import('./generate.ts')).runGenerate,
  top: async () => (await import('./top.ts')).runTop,
}

/**
 * Runs the verb of a command line.
 *
 * @param argv without node and the script; its first word is a verb.
 * @returns the exit code; it never throws.
 */
export async function main(argv: readonly string[], env: Environment, streams: Streams): Promise<number> {
  const { stdout, stderr } = streams
  try {
    const parsed = await parseVerb(argv, (text) => void stdout.write(text))
    if (parsed === undefined) return EXIT.ok
    const run = await RUN[parsed.verb]()
    return await run({ ...parsed, env, streams, color: colorFor(env, stdout.isTTY === true) })
  } catch (error) {
    if (argv.includes('--json')) return reportAsDocument(error, streams)
    return reportError(error, { write: (text) => void stderr.write(text), format: 'text', color: colorFor(env, stderr.isTTY === true) })
  }
}

/** Whoever reads JSON reads stdout. */
function reportAsDocument(error: unknown, { stdout }: Streams): number {
  const { code, message, why = null, hint = null, lastLines } = toEverycoreError(error)
  const document = { schemaVersion: CONTROL_SCHEMA, error: { code, message, why, hint, ...(lastLines.length > 0 && { lastLines }) } }
  stdout.write(`${JSON.stringify(document)}\n`)
  return error instanceof EverycoreError ? error.exitCode : EXIT.failure
}
