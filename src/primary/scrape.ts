/** Asks the workers for what they tell only when they are asked. Who does not answer in time holds up nobody: what it said last counts. */
import { nowMs } from '../base/clock.ts'
import type { WorkerId } from '../core/types.ts'
import { AppMetrics, type AppMetric } from '../metrics/app-metrics.ts'
import { plain } from '../metrics/catalogue.ts'
import type { Family, Sample } from '../metrics/family.ts'
import { FAREWELL, SUFFIXES, unpackValue, type Collected, type CollectedMetric, type CollectedSample } from '../protocol/collected.ts'
import type { Reporter, Vitals } from './vitals.ts'
import { detailFamilies } from './worker-details.ts'
import { slotLabels } from './worker-totals.ts'

/** How long a scrape waits for answers. */
const PATIENCE_MS = 500
/** How often those that drain are asked: what they count until their end is to be told, too. */
const FAREWELL_MS = 1000

interface Answer {
  readonly worker: Reporter
  readonly collected: Collected
  readonly at: number
}

export class Scrape {
  readonly #vitals: Pick<Vitals, 'reporting'>
  readonly #apps = new AppMetrics()
  readonly #answers = new Map<WorkerId, Answer>()
  /** Questions that are not answered, and when they were asked. Nobody is asked twice: one that hangs is not sent more and more. */
  readonly #asked = new Map<WorkerId, { readonly seq: number; readonly at: number }>()
  readonly #draining = new Set<WorkerId>()
  #seq = 0
  #settled: (() => void) | undefined
  #farewells: NodeJS.Timeout | undefined

  constructor(vitals: Pick<Vitals, 'reporting'>) {
    this.#vitals = vitals
  }

  /** Fulfilled when all that were asked have answered, or the time is over. Not to be called again before that. */
  async collect(): Promise<void> {
    const asked = new Set(this.#ask(() => true))
    const isSettled = (): boolean => [...asked].every((id) => !this.#asked.has(id))
    if (isSettled()) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS)
      this.#settled = () => {
        if (!isSettled()) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#settled = undefined
  }

  #ask(which: (id: WorkerId) => boolean): readonly WorkerId[] {
    this.#seq += 1
    const free = this.#vitals.reporting.filter(({ id }) => which(id) && !this.#asked.has(id))
    for (const worker of free) {
      this.#asked.set(worker.id, { seq: this.#seq, at: nowMs() })
      worker.collect(this.#seq)
    }
    return free.map(({ id }) => id)
  }

  collected(worker: Reporter, collected: Collected): void {
    if (collected.seq !== FAREWELL && this.#asked.get(worker.id)?.seq !== collected.seq) return
    this.#asked.delete(worker.id)
    this.#answers.set(worker.id, { worker, collected, at: nowMs() })
    this.#apps.take(worker.id, collected.metrics.map(unpack))
    this.#settled?.()
  }

  /** It will not be there for the next scrape. */
  draining(id: WorkerId): void {
    this.#draining.add(id)
    const ask = (): void => void this.#ask((one) => this.#draining.has(one))
    ask()
    this.#farewells ??= setInterval(ask, FAREWELL_MS).unref()
  }

  gone(id: WorkerId): void {
    this.#asked.delete(id)
    this.#answers.delete(id)
    this.#apps.gone(id)
    this.#draining.delete(id)
    if (this.#draining.size === 0) {
      clearInterval(this.#farewells)
      this.#farewells = undefined
    }
    this.#settled?.()
  }

  /** What workers have answered: first what everycore reads of them, then the app's own. */
  families(): readonly Family[] {
    const answers = [...this.#answers.values()].sort((a, b) => a.worker.slot - b.worker.slot || a.worker.id - b.worker.id)
    const { families, dropped } = this.#apps.merged()
    const left = answers.reduce((sum, { collected }) => sum + collected.left, 0)
    return [...detailFamilies(answers), this.#ages(), plain('everycore_app_samples_dropped', [[[], dropped + left]]), ...families]
  }

  #ages(): Family {
    const now = nowMs()
    const bySlot = new Map<number, number>()
    for (const { id, slot } of this.#vitals.reporting) {
      const askedAt = this.#asked.get(id)?.at
      const since = askedAt === undefined ? undefined : (this.#answers.get(id)?.at ?? askedAt)
      bySlot.set(slot, since === undefined ? 0 : (now - since) / 1000)
    }
    return plain('everycore_worker_scrape_age_seconds', [...bySlot].map(([slot, age]) => [slotLabels(slot), age]))
  }
}

function unpack({ name, help, type, aggregator, samples }: CollectedMetric): AppMetric {
  return { name, help, type, aggregator, samples: samples.map(unpackSample) }
}

function unpackSample([suffix, value, ...texts]: CollectedSample): Sample {
  const labels: (readonly [string, string])[] = []
  for (let index = 0; index < texts.length; index += 2) labels.push([texts[index] ?? '', texts[index + 1] ?? ''])
  return { suffix: SUFFIXES[suffix] ?? '', labels, value: unpackValue(value) ?? Number.NaN }
}
