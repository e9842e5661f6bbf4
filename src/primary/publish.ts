/** Where metrics go: an HTTP port, an OTLP endpoint, nowhere. What is not asked for is not loaded. */
import { EverycoreError } from '../base/errors.ts'
import type { Logger } from '../logs/logs.ts'
import type { Metrics } from './metrics.ts'
import type { MetricsServer } from './metrics-server.ts'
import type { Succession } from './succession.ts'
import type { Supervisor } from './supervisor.ts'

export interface PublishPorts {
  readonly metrics: Metrics
  readonly log: Logger
  /** Set when this process takes the place of another supervisor. */
  readonly succession: Succession | undefined
}

/** @throws EverycoreError ERR_EVERYCORE_METRICS when the port cannot be had */
export async function publish(supervisor: Supervisor, ports: PublishPorts): Promise<void> {
  await send(supervisor, ports)
  await serve(supervisor, ports)
}

/** Over OTLP, if the usual variables say so; until the end. */
async function send(supervisor: Supervisor, { metrics, log }: PublishPorts): Promise<void> {
  const { env } = process
  if (!Object.keys(env).some((name) => name.startsWith('OTEL_'))) return
  const { Otlp, wantsOtlp } = await import('./otlp.ts')
  if (!wantsOtlp(env)) return
  const { name, launch } = supervisor.settings
  const otlp = new Otlp({ env, metrics, log, name, script: launch.script })
  supervisor.once('primary:stopped', () => otlp.stop())
}

/** Until the end, or until another supervisor takes the place of this one. */
async function serve(supervisor: Supervisor, { metrics, log, succession }: PublishPorts): Promise<void> {
  const address = supervisor.settings.metrics
  if (address === undefined) return
  const { openMetricsServer, succeedMetricsServer, tellMetrics } = await import('./metrics-server.ts')
  const follow = (server: MetricsServer): void => {
    tellMetrics(log, server)
    supervisor.once('primary:stopped', server.close)
    supervisor.once('upgrade:finished', server.close)
  }
  if (succession === undefined) {
    follow(await openMetricsServer(address, metrics))
    return
  }
  const opened = succession.taken.then(async () => succeedMetricsServer(address, metrics))
  void opened.then(follow, (error: unknown) => log.error(error instanceof EverycoreError ? `${error.message}: ${error.why}` : String(error)))
}
