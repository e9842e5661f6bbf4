/** Sends all metrics over OTLP, by the official exporter, when the user has installed it beside the app and has said where to. */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { VERSION } from '../base/version.ts'
import type { Logger } from '../logs/logs.ts'
import { toOtel } from '../metrics/otlp.ts'
import type { Metrics } from './metrics.ts'
import type { ThreadData, ThreadWord } from './otlp-thread.ts'

type Environment = Readonly<Record<string, string | undefined>>

const PACKAGE = '@opentelemetry/exporter-metrics-otlp-http'
/** @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
const USUAL_INTERVAL_MS = 60_000
const SHORTEST_INTERVAL_MS = 1000
/** How much longer a stop may take for what was counted last. */
const FAREWELL_MS = 1000

/** Whether the environment asks for it. */
export function wantsOtlp(env: Environment): boolean {
  const isOff = env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_METRICS_EXPORTER'] === 'none'
  return !isOff && [env['OTEL_EXPORTER_OTLP_ENDPOINT'], env['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT']].some((endpoint) => (endpoint ?? '') !== '')
}

export interface OtlpPorts {
  readonly env: Environment
  readonly metrics: Pick<Metrics, 'families'>
  readonly log: Pick<Logger, 'info' | 'warn'>
  /** Of the app: the exporter is looked for from there. */
  readonly script: string
  readonly name: string
}

export class Otlp {
  readonly #ports: OtlpPorts
  readonly #thread: Worker
  readonly #from = Date.now() - process.uptime() * 1000
  #timer: NodeJS.Timeout | undefined
  #isFailing = false
  /** An export is under way: a slow endpoint is not given more. */
  #isBusy = true

  /** Begins. Without the exporter a line in the log is all. */
  constructor(ports: OtlpPorts) {
    this.#ports = ports
    const data: ThreadData = { script: ports.script, packageName: PACKAGE }
    // Beside the bundle that this file ends up in.
    this.#thread = new Worker(join(import.meta.dirname, 'otlp-thread.cjs'), { workerData: data, execArgv: [] })
    this.#thread.unref()
    this.#thread.on('message', (word: ThreadWord) => this.#heard(word))
    this.#thread.on('error', () => this.#unusable('it cannot be run'))
  }

  #heard(word: ThreadWord): void {
    if (word.word === 'unusable') {
      this.#unusable(word.isMissing ? `${PACKAGE} is not installed; npm install ${PACKAGE}` : `${PACKAGE} cannot be loaded (${word.error})`)
      return
    }
    this.#isBusy = false
    if (word.word === 'ready') {
      this.#timer = setInterval(() => void this.#send(), intervalMs(this.#ports.env)).unref()
      return
    }
    if ((word.error !== undefined) === this.#isFailing) return
    this.#isFailing = word.error !== undefined
    if (this.#isFailing) this.#ports.log.warn(`metrics cannot be sent to the OTLP endpoint (${word.error}); trying again`)
    else this.#ports.log.info('metrics are sent to the OTLP endpoint again')
  }

  #unusable(why: string): void {
    this.#ports.log.warn(`metrics are not sent to the OTLP endpoint: ${why}`)
    clearInterval(this.#timer)
    void this.#thread.terminate()
  }

  async #send(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    const { env, name, metrics } = this.#ports
    const families = await metrics.families()
    const resource = { attributes: resourceAttributes(env, name) }
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#thread.postMessage({ resource, scopeMetrics: [{ scope: { name: 'everycore', version: VERSION }, metrics: toOtel(families, { from: this.#from, to: Date.now() }) }] })
  }

  /** Sends what was counted last, unless the endpoint is slow; the thread ends when that is done, or a second later. */
  stop(): void {
    clearInterval(this.#timer)
    const isUsable = this.#timer !== undefined && !this.#isBusy
    const end = (): void => {
      clearTimeout(timer)
      void this.#thread.terminate()
    }
    // Until then it keeps the process alive.
    const timer = setTimeout(end, isUsable ? FAREWELL_MS : 0)
    if (!isUsable) return
    this.#thread.once('message', end)
    void this.#send()
  }
}

function intervalMs(env: Environment): number {
  const given = Number(env['OTEL_METRIC_EXPORT_INTERVAL'] || Number.NaN)
  return given >= SHORTEST_INTERVAL_MS ? Math.min(given, 2 ** 31 - 1) : USUAL_INTERVAL_MS
}

/** What is said of the service, in the usual variables; its name at least. */
function resourceAttributes(env: Environment, name: string): Readonly<Record<string, string>> {
  const given = (env['OTEL_RESOURCE_ATTRIBUTES'] ?? '').split(',').flatMap((pair): readonly (readonly [string, string])[] => {
    const at = pair.indexOf('=')
    const key = pair.slice(0, Math.max(0, at)).trim()
    return key === '' ? [] : [[key, decode(pair.slice(at + 1).trim())]]
  })
  const service = env['OTEL_SERVICE_NAME'] ?? ''
  return { 'service.name': name, 'service.instance.id': String(process.pid), 'process.runtime.name': 'nodejs', 'process.runtime.version': process.versions.node, ...Object.fromEntries(given), ...(service !== '' && { 'service.name': service }) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
