/** Reads the text of Prometheus: name with labels, and value. */
export type Values = ReadonlyMap<string, number>

/** @throws Error for a line that is none, or a sample that is there twice */
export function parseMetrics(text: string): Values {
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name = '', value = ''] = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)$/.exec(line) ?? []
    if (name === '' || values.has(name)) throw new Error(`not a sample, or a second one: ${line}`)
    values.set(name, Number(value.replace('Inf', 'Infinity')))
  }
  return values
}
