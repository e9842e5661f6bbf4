import type { Environment } from './collect.ts'

/**
 * Variables that belong to the supervisor: what systemd gave it (a worker that reports readiness or takes
 * the sockets would speak for the whole service), and the channel of the process that started it.
 */
const OURS = new Set([
  'NOTIFY_SOCKET',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'NODE_UNIQUE_ID',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
])

/** Where the variables of a worker come from. */
export interface WorkerEnvInput {
  readonly files: Environment
  readonly processEnv: Environment
  /** The library's option; undefined removes a variable. */
  readonly extra: Environment
  /** The PORT setting. */
  readonly port: number | undefined
}

/** The environment of every worker. Later wins: files, the real environment, the option, the port. */
export function workerEnv({ files, processEnv, extra, port }: WorkerEnvInput): Readonly<Record<string, string>> {
  const merged: Environment = { ...files, ...processEnv, ...extra, ...(port !== undefined && { PORT: String(port) }) }
  const env: Record<string, string> = {}
  for (const [variable, value] of Object.entries(merged)) {
    if (value !== undefined && !OURS.has(variable) && !variable.startsWith('EVERYCORE_')) env[variable] = value
  }
  return env
}
