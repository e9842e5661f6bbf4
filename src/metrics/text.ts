/**
 * Writes metrics in the text formats of Prometheus and OpenMetrics.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 * @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
import type { Family, Labels, MetricType } from './family.ts'

export type TextFormat = 'prometheus' | 'openmetrics'

export const CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

const TOTAL = '_total'

export function writeText(families: readonly Family[], format: TextFormat): string {
  const blocks = families.filter(({ samples }) => samples.length > 0).map((family) => writeFamily(family, format))
  return `${blocks.join('')}${format === 'openmetrics' ? '# EOF\n' : ''}`
}

function writeFamily({ name, type: given, help, samples }: Family, format: TextFormat): string {
  const isOpen = format === 'openmetrics'
  // A counter of OpenMetrics ends in _total. One that does not keeps its name, which dashboards know, and loses its type.
  const type: MetricType = isOpen && given === 'counter' && !name.endsWith(TOTAL) ? 'unknown' : given
  const title = isOpen && type === 'counter' ? name.slice(0, -TOTAL.length) : name
  const lines = samples.map(({ suffix, labels, value }) => `${name}${suffix}${writeLabels(labels, isOpen)} ${writeNumber(value)}\n`)
  return `# HELP ${title} ${escape(help, isOpen)}\n# TYPE ${title} ${!isOpen && type === 'unknown' ? 'untyped' : type}\n${lines.join('')}`
}

function writeLabels(labels: Labels, isOpen: boolean): string {
  if (labels.length === 0) return ''
  const written = labels.map(([name, value]) => `${name}="${escape(isOpen && (name === 'le' || name === 'quantile') ? canonical(value) : value, true)}"`)
  return `{${written.join(',')}}`
}

/** OpenMetrics writes 1 as 1.0 where a number is a label. */
function canonical(value: string): string {
  return /^-?\d+$/.test(value) ? `${value}.0` : value
}

export function writeNumber(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}

function escape(text: string, withQuotes: boolean): string {
  const escaped = text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)
  return withQuotes ? escaped.replaceAll('"', String.raw`\"`) : escaped
}
