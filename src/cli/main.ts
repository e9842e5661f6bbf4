import { EverycoreError } from '../base/errors.ts'
import { EXIT } from '../base/exit-codes.ts'
import { nearest } from '../base/nearest.ts'
import { colorFor } from '../config/color.ts'
import type { Environment } from '../config/collect.ts'
import { nodeHost, type Host } from '../config/host.ts'
import { resolveSettings } from '../config/resolve.ts'
import type { Settings } from '../config/types.ts'
import { FIRST_WORDS, outputWish, plainRequest, withoutDetach, type StartRequest } from './argv.ts'
import { parseRequest } from './program.ts'
import { reportError } from './report-error.ts'
import { runStart } from './start.ts'
import type { Streams } from './streams.ts'

/** What the command needs of the world besides its arguments; tests replace it. */
export interface MainPorts {
  readonly cwd: () => string
  readonly host: () => Host
  /** Runs the app until it ends; gives the exit code. */
  readonly runStart: (settings: Settings, resolve: () => Settings) => Promise<number>
  /** Starts it in the background; gives the exit code when that is done. */
  readonly runDetached: (settings: Settings, argv: readonly string[], streams: Streams) => Promise<number>
}

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
    return request === undefined ? EXIT.ok : await runRequest(request, { env, streams, ports: isDetached ? { ...ports, runStart: async (settings) => ports.runDetached(settings, argv, streams) } : ports })
  } catch (error) {
    const wish = outputWish(argv, env)
    return reportError(error, {
      write: (text) => void streams.stderr.write(text),
      format: wish.format,
      color: wish.color ?? colorFor(env, streams.stderr.isTTY === true),
    })
  }
}

interface Surroundings {
  readonly env: Environment
  readonly streams: Streams
  readonly ports: MainPorts
}

async function runRequest({ script, args, flags }: StartRequest, { env, streams, ports }: Surroundings): Promise<number> {
  const cwd = ports.cwd()
  const resolve = (): Settings => resolveSettings({ flags, script, args, env, cwd, isTTY: streams.stdout.isTTY === true, host: ports.host() })
  return ports.runStart(withVerb(script, resolve), resolve)
}

/** A script that does not exist and looks like a command was probably meant as one. */
function withVerb<T>(script: string | undefined, action: () => T): T {
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
