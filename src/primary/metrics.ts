/** The metrics and probes of one supervisor. What must be counted from the start is counted here, the rest is loaded when somebody asks. */
import type { Family } from '../metrics/family.ts'
import type { Logs } from '../logs/logs.ts'
import type { Exposition } from './exposition.ts'
import { probe, PROBE_PATHS, type Answer } from './probes.ts'
import type { Scrape } from './scrape.ts'
import type { Supervisor } from './supervisor.ts'
import { Tally } from './tally.ts'
import { WorkerTotals } from './worker-totals.ts'

/** Every path that is answered. */
export const METRICS_PATHS: readonly string[] = ['/metrics', ...PROBE_PATHS.keys()]

export class Metrics {
  readonly #supervisor: Supervisor
  readonly #logs: Pick<Logs, 'stats'>
  readonly #totals = new WorkerTotals()
  readonly #tally: Tally
  #scrape: Scrape | undefined
  #exposition: Promise<Exposition> | undefined
  #isStopping = false
  #hasBeenReady = false

  /** Listens to the supervisor from now on. */
  constructor(supervisor: Supervisor, logs: Pick<Logs, 'stats'>) {
    this.#supervisor = supervisor
    this.#logs = logs
    this.#tally = new Tally(supervisor)
    supervisor.on('primary:stopping', () => (this.#isStopping = true))
    supervisor.on('upgrade:finished', () => (this.#isStopping = true))
    supervisor.once('worker:ready', () => (this.#hasBeenReady = true))
    supervisor.on('worker:draining', ({ id, reason }) => {
      if (reason !== 'stop') this.#scrape?.draining(id)
    })
    supervisor.vitals.observer = {
      reported: (worker, report) => this.#totals.reported(worker, report),
      counted: (worker, counts) => this.#totals.counted(worker, counts),
      collected: (worker, collected) => this.#scrape?.collected(worker, collected),
      gone: (id) => {
        this.#totals.gone(id)
        this.#scrape?.gone(id)
      },
    }
  }

  /** All metrics, the app's own included. Workers that hang hold it up for half a second at most. */
  async families(): Promise<readonly Family[]> {
    return (await this.#loaded()).families()
  }

  /**
   * Answers a GET.
   *
   * @param target path and query
   * @param accept the header of that name
   * @returns undefined for any other path than {@link METRICS_PATHS}
   */
  async answer(target: string, accept: string | undefined): Promise<Answer | undefined> {
    const [path = '', query = ''] = target.split('?', 2)
    const name = PROBE_PATHS.get(path)
    if (name !== undefined) {
      const state = { snapshot: this.#supervisor.snapshot, isStopping: this.#isStopping, hasBeenReady: this.#hasBeenReady }
      return probe(name, state, query.split('&').some((one) => /^verbose(?:=|$)/.test(one)))
    }
    return path === '/metrics' ? (await this.#loaded()).answer(accept) : undefined
  }

  async #loaded(): Promise<Exposition> {
    this.#exposition ??= this.#load()
    return this.#exposition
  }

  async #load(): Promise<Exposition> {
    const [{ Scrape: Asker }, { Exposition: Writer }] = await Promise.all([import('./scrape.ts'), import('./exposition.ts')])
    this.#scrape = new Asker(this.#supervisor.vitals)
    return new Writer({ supervisor: this.#supervisor, logs: this.#logs, totals: this.#totals, tally: this.#tally, scrape: this.#scrape })
  }
}
