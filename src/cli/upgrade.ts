/** SIGURG: another everycore takes the place of this one, where the end of this process is not the end of everything. */
import { readFileSync } from 'node:fs'
import { isatty } from 'node:tty'
import { EverycoreError } from '../base/errors.ts'
import type { Logger } from '../logs/logs.ts'
import type { ServiceManager } from '../primary/service-manager.ts'
import type { Supervisor } from '../primary/supervisor.ts'
import { isOneOfSeveral } from './parent.ts'

/** By its number: `process.stdin` would open a stream that nobody reads. */
const STDIN = 0
/** Processes number 1 of containers that end with the process that they have started. */
const CONTAINER_INITS = new Set(['tini', 'tini-static', 'docker-init', 'dumb-init', 'catatonit', 'podman-init'])

/** What decides whether there can be a successor. */
export interface Whereabouts {
  readonly pid: number
  readonly ppid: number
  /** Name of process 1, where the system tells it. */
  readonly init: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Upgrades, or says why not. What comes of it is in the log, by the upgrade events. */
export async function upgradeByCommand(supervisor: Supervisor, log: Logger, manager: Promise<ServiceManager> | undefined): Promise<void> {
  const obstacle = obstacleToUpgrade({ pid: process.pid, ppid: process.ppid, init: nameOfInit(), env: process.env })
  if (obstacle !== undefined) {
    log.error(`cannot upgrade: ${obstacle}`, { event: 'upgrade:refused' })
    return
  }
  if (isatty(STDIN)) log.warn('upgrading on a terminal: the new supervisor will run in the background, where Ctrl-C does not reach it')
  try {
    await supervisor.upgrade(manager === undefined ? {} : { beforeHandOver: async (pid) => (await manager).passTo(pid) })
  } catch (error) {
    if (error instanceof EverycoreError && error.code === 'ERR_EVERYCORE_UPGRADE') return
    log.error(error instanceof Error ? error.message : String(error), { event: 'upgrade:refused' })
  }
}

/** Why the process that comes after this one would not live; undefined when nothing is known. */
export function obstacleToUpgrade({ pid, ppid, init, env }: Whereabouts): string | undefined {
  if (pid === 1) return 'this is process 1 of a container, which ends with it. Start a new container instead'
  if (ppid === 1 && init !== undefined && CONTAINER_INITS.has(init)) return `${init} ends the container when this process ends. Start a new container instead`
  if (isOneOfSeveral(env, ppid)) return 'this app is one of several below one parent, which would take the end of this process for the end of the app. Start each app by itself, with --only'
  const isService = env['SYSTEMD_EXEC_PID'] === String(pid)
  if (isService && (env['NOTIFY_SOCKET'] ?? '') === '') return 'systemd ends the service when this process ends, unless the unit says Type=notify and NotifyAccess=all'
  return undefined
}

function nameOfInit(): string | undefined {
  try {
    return readFileSync('/proc/1/comm', 'utf8').trim()
  } catch {
    return undefined
  }
}
