/** Which text format the client of a scrape wants. */
import type { TextFormat } from './text.ts'

const OPENMETRICS = 'application/openmetrics-text'
/** 0.0.1 is the same but for details that we do not use. */
const VERSIONS = [undefined, '1.0.0', '0.0.1']
/** Nobody needs so many. */
const LONGEST = 4096

/** Prometheus where OpenMetrics 1.0 is not asked for, or asked for less. @see RFC 9110, 12.5.1 */
export function formatFor(accept: string | undefined): TextFormat {
  if (accept === undefined || accept.length > LONGEST) return 'prometheus'
  let [open, plain] = [0, 0]
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const { q = '1', version } = Object.fromEntries(parameters.map((parameter) => parameter.split('=', 2))) as { readonly q?: string; readonly version?: string }
    const weight = Number(q)
    if (type === OPENMETRICS && VERSIONS.includes(version)) open = Math.max(open, weight)
    if (type === 'text/plain') plain = Math.max(plain, weight)
  }
  return open > 0 && open >= plain ? 'openmetrics' : 'prometheus'
}
