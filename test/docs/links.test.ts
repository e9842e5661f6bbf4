import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fragments, page, pages, relativeLinks, ROOT, type Link } from './markdown.ts'

/** What is wrong with a link; undefined when it leads somewhere. */
function flaw({ page: from, target }: Link): string | undefined {
  const [path = '', fragment] = target.split('#', 2)
  const to = path === '' ? from : normalize(join(dirname(from), path))
  if (to.startsWith('..')) return 'leads out of the repository'
  if (!existsSync(join(ROOT, to))) return `there is no ${to}`
  if (fragment === undefined) return undefined
  if (statSync(join(ROOT, to)).isDirectory() || !to.endsWith('.md')) return `${to} has no fragments`
  return fragments(page(to)).has(fragment) ? undefined : `${to} has no heading #${fragment}`
}

for (const each of pages()) {
  test(`every relative link of ${each.path} leads somewhere`, () => {
    const broken = relativeLinks(each).flatMap((link) => {
      const why = flaw(link)
      return why === undefined ? [] : [`${link.target}: ${why}`]
    })
    assert.deepEqual(broken, [])
  })
}

test('every page of the manual is reached from its start page', () => {
  const reached = new Set(['README.md', 'docs/README.md'])
  for (const path of reached) {
    for (const { target } of relativeLinks(page(path))) {
      const to = normalize(join(dirname(path), target.split('#', 1)[0] ?? ''))
      if (to.endsWith('.md') && existsSync(join(ROOT, to))) reached.add(to)
    }
  }
  const lost = pages().filter(({ path }) => path.startsWith('docs/') && !reached.has(path))
  assert.deepEqual(lost.map(({ path }) => path), [])
})
