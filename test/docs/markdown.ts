/** The Markdown of this repository, taken apart as far as the tests of the docs need it. */
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Folders that hold no page of ours. */
const SKIPPED = new Set(['node_modules', 'dist', 'fixtures'])

export interface Page {
  /** Relative to the repository. */
  readonly path: string
  readonly text: string
}

export interface Fence {
  readonly page: string
  /** Line of the page at which the code begins, from 1. */
  readonly line: number
  /** First word after the backticks: `js`, `sh`. */
  readonly language: string
  /** The words after it: `run`, `worker`. */
  readonly marks: readonly string[]
  readonly code: string
}

/** Every page that people read. */
export function pages(): readonly Page[] {
  return markdownBelow(ROOT)
    .map((path) => ({ path: relative(ROOT, path), text: readFileSync(path, 'utf8') }))
    .sort((a, b) => a.path.localeCompare(b.path))
}

/** Pages that this manual consists of: not the notes of benches and examples. */
export function manual(): readonly Page[] {
  return pages().filter(({ path }) => path.startsWith('docs/') || !path.includes('/'))
}

export function page(path: string): Page {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') }
}

function markdownBelow(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) return []
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return markdownBelow(path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

const FENCE = /^( *)```([^\n`]*)\n([\s\S]*?)^ *```$/gm

/** The code blocks of a page. */
export function fences({ path, text }: Page): readonly Fence[] {
  return [...text.matchAll(FENCE)].map((match) => {
    const [, indent = '', info = '', body = ''] = match
    const [language = '', ...marks] = info.trim().split(/\s+/)
    const code = body.split('\n').map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line)).join('\n')
    return { page: path, line: text.slice(0, match.index).split('\n').length + 1, language, marks, code }
  })
}

/** The text without its code blocks. */
export function prose({ text }: Page): string {
  return text.replaceAll(FENCE, '')
}

/** Code within lines, and all code blocks. */
export function codeOf(from: Page): readonly string[] {
  const inline = [...prose(from).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
  return [...inline, ...fences(from).map(({ code }) => code)]
}

export interface Link {
  readonly page: string
  readonly target: string
}

/** The links of a page that lead into this repository. */
export function relativeLinks(from: Page): readonly Link[] {
  const text = prose(from).replaceAll(/`[^`\n]*`/g, 'code')
  return [...text.matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, target = '']) => ({ page: from.path, target }))
    .filter(({ target }) => !/^[a-z][a-z+.-]*:/i.test(target))
}

/** The fragments that headings of a page can be reached by, made as GitHub makes them. */
export function fragments(of: Page): ReadonlySet<string> {
  const found = new Map<string, number>()
  for (const [, title = ''] of prose(of).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const slug = title
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-')
    const before = found.get(slug)
    found.set(slug, (before ?? -1) + 1)
    if (before !== undefined) found.set(`${slug}-${before + 1}`, 0)
  }
  return new Set(found.keys())
}
