/**
 * The thread in which the exporter runs: it must not keep the supervisor busy with megabytes of JSON, nor its process alive
 * while it tries again. A file of its own in `dist`. The other side is `primary/otlp.ts`.
 */
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'

/** What the thread says: that it is ready or cannot be, and what became of each export. */
export type ThreadWord = { readonly word: 'ready' } | { readonly word: 'unusable'; readonly isMissing: boolean; readonly error: string } | { readonly word: 'done'; readonly error: string | undefined }

export interface ThreadData {
  /** Where the package is looked for from. */
  readonly script: string
  readonly packageName: string
}

interface Exporter {
  export(metrics: unknown, done: (result: { readonly code: number; readonly error?: unknown }) => void): void
}

const { script, packageName } = workerData as ThreadData
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
const say = (word: ThreadWord): void => parentPort?.postMessage(word)

/** Never the message of an error: it could name the endpoint, with a password in it. */
function nameOf(error: unknown): string {
  const { code, name } = (typeof error === 'object' && error !== null ? error : {}) as { readonly code?: unknown; readonly name?: unknown }
  return typeof code === 'string' || typeof code === 'number' ? String(code) : typeof name === 'string' ? name : 'failed'
}

try {
  const { OTLPMetricExporter } = createRequire(script)(packageName) as { readonly OTLPMetricExporter: new () => Exporter }
  const exporter = new OTLPMetricExporter()
  parentPort?.on('message', (metrics: unknown) => exporter.export(metrics, ({ code, error }) => say({ word: 'done', error: code === 0 ? undefined : nameOf(error) })))
  say({ word: 'ready' })
} catch (error) {
  say({ word: 'unusable', isMissing: (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND', error: nameOf(error) })
}
