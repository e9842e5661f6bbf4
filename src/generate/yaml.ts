/**
 * YAML for the files that are generated, with comments: mappings, lists, scalars. What it writes means the same in
 * YAML 1.1 (Kubernetes, Prometheus) and 1.2 (Compose). Why not a package: docs/decisions/0016.
 */

/** What a file is made of. Keys stand in the order of the object. */
export type Yaml = string | number | boolean | null | readonly Yaml[] | { readonly [key: string]: Yaml } | Noted

/** A value with a comment above it. */
export class Noted {
  readonly note: string
  readonly value: Yaml

  constructor(note: string, value: Yaml) {
    this.note = note
    this.value = value
  }
}

/** A comment, which says why, above the value. */
export function noted(note: string, value: Yaml): Noted {
  return new Noted(note, value)
}

/** The documents of one file, each after its own comment lines, separated by `---`. */
export function yamlFile(documents: readonly Yaml[]): string {
  return documents.map((document) => `${linesOf(document).join('\n')}\n`).join('---\n')
}

/** Comment lines; line breaks in the text begin further ones. */
export function commentLines(text: string): readonly string[] {
  return text.split(/[\r\n\u0085\u2028\u2029]+/).map((line) => `# ${line}`)
}

const INDENT = '  '

function linesOf(node: Yaml): readonly string[] {
  if (node instanceof Noted) return [...commentLines(node.note), ...linesOf(node.value)]
  if (isScalar(node)) return [scalar(node)]
  if (isList(node)) return node.length === 0 ? ['[]'] : node.flatMap(itemLines)
  const entries = Object.entries(node)
  return entries.length === 0 ? ['{}'] : entries.flatMap(([key, value]) => entryLines(key, value))
}

function entryLines(key: string, given: Yaml): readonly string[] {
  const { notes, value } = unwrap(given)
  const lines = linesOf(value)
  const isInline = isScalar(value) || isEmpty(value)
  return [...notes, ...(isInline ? [`${scalar(key)}: ${lines[0] ?? ''}`] : [`${scalar(key)}:`, ...lines.map((line) => INDENT + line)])]
}

function itemLines(given: Yaml): readonly string[] {
  const { notes, value } = unwrap(given)
  const [first = '', ...others] = linesOf(value)
  // The dash must stand before a key, and a comment there would hide it.
  if (first.startsWith('#')) return [...notes, '-', ...[first, ...others].map((line) => INDENT + line)]
  return [...notes, `- ${first}`, ...others.map((line) => INDENT + line)]
}

function unwrap(given: Yaml): { readonly notes: readonly string[]; readonly value: Exclude<Yaml, Noted> } {
  if (!(given instanceof Noted)) return { notes: [], value: given }
  const inner = unwrap(given.value)
  return { notes: [...commentLines(given.note), ...inner.notes], value: inner.value }
}

function isList(node: Exclude<Yaml, Noted>): node is readonly Yaml[] {
  return Array.isArray(node)
}

function isScalar(node: Yaml): node is string | number | boolean | null {
  return node === null || typeof node !== 'object'
}

function isEmpty(node: Exclude<Yaml, Noted>): boolean {
  return typeof node === 'object' && node !== null && Object.keys(node).length === 0
}

/** Words that some version of YAML reads as something else than a string. */
const RESERVED = /^(?:true|false|yes|no|on|off|y|n|null)$/i

function scalar(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value)
  if (/^[a-zA-Z/][\w./-]*$/.test(value) && !RESERVED.test(value)) return value
  // PromQL is full of double quotes.
  if (/^[ -~]*["\\][ -~]*$/.test(value)) return `'${value.replaceAll("'", "''")}'`
  return quoted(value)
}

/** As JSON, with what YAML does not count as printable, and what ends a line for somebody, as escapes. */
export function quoted(value: string): string {
  return JSON.stringify(value).replaceAll(/[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
