/** All metrics put together, as families and as text. Loaded when somebody asks for the first time. */
import { nowMs } from '../base/clock.ts'
import { residentMemory } from '../base/resident-memory.ts'
import { VERSION } from '../base/version.ts'
import { formatFor } from '../metrics/accept.ts'
import { plain } from '../metrics/catalogue.ts'
import type { Family } from '../metrics/family.ts'
import { CONTENT_TYPES, writeText, type TextFormat } from '../metrics/text.ts'
import type { WorkerView } from '../core/snapshot.ts'
import type { Logs } from '../logs/logs.ts'
import type { Answer } from './probes.ts'
import type { Scrape } from './scrape.ts'
import type { Supervisor } from './supervisor.ts'
import type { Tally } from './tally.ts'
import { slotLabels, type WorkerTotals } from './worker-totals.ts'

/** Whoever asks more often gets what the last one got: a flood of scrapes costs little. */
const FRESH_MS = 200
const PHASES = ['booting', 'spare', 'ready', 'draining', 'killed'] as const satisfies readonly WorkerView['phase'][]

export interface ExpositionSources {
  readonly supervisor: Supervisor
  readonly logs: Pick<Logs, 'stats'>
  readonly totals: WorkerTotals
  readonly tally: Tally
  readonly scrape: Scrape
}

interface Collection {
  readonly families: readonly Family[]
  readonly texts: Map<TextFormat, string>
}

export class Exposition {
  readonly #sources: ExpositionSources
  readonly #rss = residentMemory()
  #collection: Promise<Collection> | undefined

  constructor(sources: ExpositionSources) {
    this.#sources = sources
  }

  /** Never throws. */
  async families(): Promise<readonly Family[]> {
    return (await this.#collect()).families
  }

  /** @param accept the header of that name */
  async answer(accept: string | undefined): Promise<Answer> {
    const { families, texts } = await this.#collect()
    const format = formatFor(accept)
    const text = texts.get(format) ?? writeText(families, format)
    texts.set(format, text)
    return { status: 200, headers: { 'content-type': CONTENT_TYPES[format] }, body: text }
  }

  async #collect(): Promise<Collection> {
    this.#collection ??= this.#read().finally(() => {
      setTimeout(() => (this.#collection = undefined), FRESH_MS).unref()
    })
    return this.#collection
  }

  async #read(): Promise<Collection> {
    const { scrape, totals, tally } = this.#sources
    await scrape.collect()
    const all = [...this.#supervisor(), ...tally.families(), ...totals.families(), ...scrape.families()]
    const families = [...all.filter(isOfEverycore), ...all.filter((family) => !isOfEverycore(family))]
    return { families, texts: new Map<TextFormat, string>() }
  }

  #supervisor(): readonly Family[] {
    const { supervisor, logs } = this.#sources
    const { snapshot, vitals, handOvers, settings } = supervisor
    const { workers, size, generation, reload } = snapshot
    const now = nowMs()
    const cpu = process.cpuUsage()
    const seated = workers.filter(({ slot }) => slot >= 0)
    const uptimes = new Map(seated.flatMap(({ slot, readyAt, phase }) => (readyAt === undefined || phase === 'killed' ? [] : [[slot, (now - readyAt) / 1000] as const])))
    const ages = new Map(seated.flatMap(({ id, slot }) => [vitals.ageOf(id)].flatMap((ageMs) => (ageMs === undefined ? [] : [[slot, ageMs / 1000] as const]))))
    const [major = '', minor = '', patch = ''] = process.versions.node.split('.')
    return [
      plain('everycore_build_info', [[[['version', VERSION], ['node', process.versions.node]], 1]]),
      plain('everycore_workers', PHASES.map((phase) => [[['state', phase]], workers.filter((worker) => worker.phase === phase).length])),
      plain('everycore_workers_wanted', [[[], size]]),
      plain('everycore_generation', [[[], generation]]),
      plain('everycore_worker_uptime_seconds', [...uptimes].map(([slot, value]) => [slotLabels(slot), value])),
      plain('everycore_worker_report_age_seconds', [...ages].map(([slot, value]) => [slotLabels(slot), value])),
      plain('everycore_reload_in_progress', [[[], reload === undefined ? 0 : 1]]),
      plain('everycore_relayed_connections_total', [[[['result', 'taken']], handOvers.relayed], [[['result', 'returned']], handOvers.gaveBack], [[['result', 'dropped']], handOvers.gaveUp]]),
      plain('everycore_log_lines_dropped_total', [[[], logs.stats().droppedLines]]),
      plain('everycore_supervisor_cpu_seconds_total', [[[], (cpu.user + cpu.system) / 1e6]]),
      plain('everycore_supervisor_resident_memory_bytes', [[[], this.#rss()]]),
      plain('everycore_supervisor_start_time_seconds', [[[], Math.round(Date.now() - process.uptime() * 1000) / 1000]]),
      ...(settings.sizing.memoryLimit === undefined ? [] : [plain('everycore_memory_limit_bytes', [[[], settings.sizing.memoryLimit]])]),
      plain('nodejs_version_info', [[[['version', process.version], ['major', major], ['minor', minor], ['patch', patch]], 1]]),
    ]
  }
}

const isOfEverycore = ({ name }: Family): boolean => name.startsWith('everycore_')
