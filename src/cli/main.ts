import { EverycoreError } from '../base/errors.ts'
import { EXIT } from '../base/exit-codes.ts'
import { nearest } from '../base/nearest.ts'
import { colorFor } from '../config/color.ts'
import type { Environment } from '../config/collect.ts'
import { nodeHost } from '../config/host.ts'
import { resolveSettings } from '../config/resolve.ts'
import type { Settings } from '../config/types.ts'
import { FIRST_WORDS, outputWish, plainRequest, withoutDetach, type StartRequest } from './argv.ts'
import { locate } from './locate.ts'
import { parseRequest } from './program.ts'
import { reportError } from './report-error.ts'
import { runStart } from './start.ts'
import type { Streams } from './streams.ts'
import type { MainPorts, Surroundings } from './surroundings.ts'

const PROCESS_PORTS: MainPorts = {
  cwd: () => process.cwd(),
  host: nodeHost,
  runStart,
  runDetached: async (settings, argv, streams) => (await import('./detach.ts')).runDetached(settings, argv, streams),
}

/**
 * The whole command: parses, does what is asked, reports what goes wrong on stderr.
 *
 * @param given without node and the script.
 * @returns the exit code; it never throws.
 */
export async function main(given: readonly string[], env: Environment, streams: Streams, ports: MainPorts = PROCESS_PORTS): Promise<number> {
  const { argv, isDetached } = withoutDetach(given)
  try {
    const request = plainRequest(argv) ?? (await parseRequest(argv, (text) => void streams.stdout.write(text)))
    return request === undefined ? EXIT.ok : await runRequest(request, { env, streams, isDetached, ports: isDetached ? { ...ports, runStart: async (settings) => ports.runDetached(settings, argv, streams) } : ports })
  } catch (error) {
    const wish = outputWish(argv, env)
    return reportError(error, {
      write: (text) => void streams.stderr.write(text),
      format: wish.format,
      color: wish.color ?? colorFor(env, streams.stderr.isTTY === true),
    })
  }
}

async function runRequest(given: StartRequest, surroundings: Surroundings): Promise<number> {
  const { env, streams, ports } = surroundings
  const cwd = ports.cwd()
  const { path, choice, request } = await locate(given, cwd, env, ports.host())
  const { script, args, flags } = request
  // Here, because most starts have no config.
  if (path !== undefined) return (await import('./configured.ts')).runConfigured({ path, choice, request, cwd }, surroundings)
  const settings = (): Settings => resolveSettings({ flags, script, args, env, cwd, isTTY: streams.stdout.isTTY === true, host: ports.host() })
  return ports.runStart(withVerb(script, settings), settings)
}

/** A script that does not exist and looks like a command was probably meant as one. */
export function withVerb<T>(script: string | undefined, action: () => T): T {
  try {
    return action()
  } catch (error) {
    const verb = script === undefined ? undefined : nearest(script, FIRST_WORDS)
    if (verb === undefined || !(error instanceof EverycoreError) || error.code !== 'ERR_EVERYCORE_SCRIPT') throw error
    throw new EverycoreError(error.code, error.message, {
      ...(error.why !== undefined && { why: error.why }),
      hint: `If a command was meant: everycore ${verb}. ${error.hint ?? ''}`.trim(),
      cause: error,
    })
  }
}
