import type { EverycoreError } from '../base/errors.ts'
import { settingError } from './problems.ts'

/** What a list of arguments says about the inspector. */
export interface Inspection {
  /** The port to open; undefined when nothing opens one. */
  readonly port: number | undefined
  /** The other arguments. */
  readonly rest: readonly string[]
}

const DEFAULT_PORT = 9229

/**
 * Takes `--inspect`, `--inspect-port` and `--debug-port` out of a list of arguments: N workers cannot share one
 * port, so the supervisor gives each its own. Port 0 stays, since every process finds another.
 *
 * @param where for messages: `--node-args (flag)`.
 * @throws EverycoreError ERR_EVERYCORE_SETTING for a host that others can reach, for a port that is none, and for
 * `--inspect-brk` and `--inspect-wait`, with which no worker gets ready.
 */
export function takeInspect(args: readonly string[], where: string): Inspection {
  const rest: string[] = []
  let isOpen = false
  let port: number | undefined
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? ''
    const [flag, given] = splitFlag(arg)
    const isPort = flag === '--inspect-port' || flag === '--debug-port'
    if (flag === '--inspect-brk' || flag === '--inspect-brk-node' || flag === '--inspect-wait') throw waits(flag, where)
    if (flag !== '--inspect' && !isPort) {
      rest.push(arg)
      continue
    }
    const address = isPort && given === undefined ? args[(index += 1)] : given
    const parsed = address === undefined ? undefined : portOf(address, `${where}: ${flag}`)
    if (parsed === 0) rest.push(`${flag}=${address}`)
    else port = parsed ?? port
    if (!isPort && parsed !== 0) isOpen = true
  }
  return { port: isOpen ? (port ?? DEFAULT_PORT) : undefined, rest }
}

/** Node reads `--inspect_port` as `--inspect-port`. */
function splitFlag(arg: string): readonly [string, string | undefined] {
  const at = arg.indexOf('=')
  return at === -1 ? [arg.replaceAll('_', '-'), undefined] : [arg.slice(0, at).replaceAll('_', '-'), arg.slice(at + 1)]
}

/** The port of `9229`, `127.0.0.1`, `127.0.0.1:9229`, `[::1]:9229`; undefined when only a host is named. */
function portOf(address: string, where: string): number | undefined {
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?|(::1))$/.exec(address)
  const isPortOnly = /^\d{1,5}$/.test(address)
  const host = isPortOnly ? undefined : (match?.[1] ?? match?.[3] ?? address)
  if (host !== undefined && !isLoopback(host)) {
    throw settingError(`${where}: ${JSON.stringify(address)} lets others in; whoever reaches an inspector runs any code`, 'Use 127.0.0.1 and an SSH tunnel: ssh -L 9229:127.0.0.1:9229 host')
  }
  const port = isPortOnly ? address : match?.[2]
  if (port === undefined) return undefined
  if (Number(port) > 65_535) throw settingError(`${where}: ${port} is not a port: use 1 to 65535`)
  return Number(port)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function waits(flag: string, where: string): EverycoreError {
  return settingError(`${where}: with ${flag} no worker gets ready, each waits for a debugger`, `Use --inspect, or debug one process without everycore: node ${flag} server.js`)
}
