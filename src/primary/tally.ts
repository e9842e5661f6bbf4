/** Counts what happens, by the events of the supervisor. */
import { Counters, Histograms } from '../metrics/counts.ts'
import type { Family } from '../metrics/family.ts'
import type { KillReason, WorkerId } from '../core/types.ts'
import type { SupervisorEvents } from './events.ts'
import type { Supervisor } from './supervisor.ts'

/** Why a worker was replaced. */
const RESTARTS = ['crash', 'boot-failure', 'ready-timeout', 'spawn-failed', 'stalled', 'memory', 'violation', 'recycle', 'request'] as const
const KILLS = ['ready-timeout', 'drain-timeout', 'stop-now', 'reload-aborted', 'violation', 'stalled', 'memory'] as const satisfies readonly KillReason[]
/** In seconds. */
const BOOT_BOUNDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const RELOAD_BOUNDS = [1, 2.5, 5, 10, 30, 60, 120, 300, 600]

type Restart = (typeof RESTARTS)[number]

const isRestart = (reason: string | undefined): reason is Restart => RESTARTS.some((one) => one === reason)

export class Tally {
  readonly #restarts = new Counters('everycore_worker_restarts_total')
  readonly #kills = new Counters('everycore_worker_kills_total')
  readonly #boots = new Histograms('everycore_worker_boot_duration_seconds', BOOT_BOUNDS)
  readonly #reloads = new Counters('everycore_reloads_total')
  readonly #reloadTimes = new Histograms('everycore_reload_duration_seconds', RELOAD_BOUNDS)
  readonly #upgrades = new Counters('everycore_upgrades_total')
  /** Why workers that drain were told to. */
  readonly #leaving = new Map<WorkerId, string>()

  constructor(supervisor: Supervisor) {
    for (const reason of RESTARTS) this.#restarts.add([['reason', reason]], 0)
    for (const reason of KILLS) this.#kills.add([['reason', reason]], 0)
    for (const result of ['finished', 'aborted', 'refused']) this.#reloads.add([['result', result]], 0)
    for (const result of ['finished', 'aborted']) this.#upgrades.add([['result', result]], 0)
    this.#boots.add([], 0, [])
    this.#reloadTimes.add([], 0, [])
    supervisor.on('worker:ready', ({ bootMs }) => this.#boots.observe([], bootMs / 1000))
    supervisor.on('worker:draining', ({ id, reason }) => this.#leaving.set(id, reason))
    supervisor.on('worker:exited', (exited) => this.#exited(exited))
    supervisor.on('worker:spawn-failed', () => this.#restarts.add([['reason', 'spawn-failed']]))
    supervisor.on('reload:finished', ({ tookMs }) => {
      this.#reloads.add([['result', 'finished']])
      this.#reloadTimes.observe([], tookMs / 1000)
    })
    supervisor.on('reload:aborted', () => this.#reloads.add([['result', 'aborted']]))
    supervisor.on('reload:refused', () => this.#reloads.add([['result', 'refused']]))
    supervisor.on('upgrade:finished', () => this.#upgrades.add([['result', 'finished']]))
    supervisor.on('upgrade:aborted', () => this.#upgrades.add([['result', 'aborted']]))
  }

  #exited({ id, kind, killReason }: SupervisorEvents['worker:exited'][0]): void {
    if (killReason !== undefined) this.#kills.add([['reason', killReason]])
    const asked = this.#leaving.get(id)
    this.#leaving.delete(id)
    // Who was told to leave is replaced for that reason, also if it had to be killed in the end; or not replaced at all.
    const reason = asked ?? killReason ?? kind
    if (isRestart(reason)) this.#restarts.add([['reason', reason]])
  }

  families(): readonly Family[] {
    return [this.#restarts, this.#kills, this.#boots, this.#reloads, this.#reloadTimes, this.#upgrades].map(({ family }) => family)
  }
}
