import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ERROR_CODES } from '../../src/base/errors.ts'
import { EXIT } from '../../src/base/exit-codes.ts'
import { helpTopic } from '../../src/cli/help-topics.ts'
import { exitMeanings, GENERATED, withGenerated } from './generate.ts'
import { fragments, page, ROOT } from './markdown.ts'

const isUpdate = process.env['UPDATE_DOCS'] === '1'

for (const [path, generate] of Object.entries(GENERATED)) {
  test(`${path} says what the source says (UPDATE_DOCS=1 node scripts/test.mjs docs)`, () => {
    const { text } = page(path)
    const fresh = withGenerated(text, generate())
    if (isUpdate) writeFileSync(join(ROOT, path), fresh)
    else assert.equal(text, fresh)
  })
}

test('each exit code has a comment in the source, and the help says the same', () => {
  const meanings = exitMeanings()
  const help = helpTopic('exit-codes').replaceAll(/\s+/g, ' ')
  for (const code of Object.values(EXIT)) {
    const meaning = meanings.get(code)
    assert.ok(meaning !== undefined, `exit code ${code}`)
    assert.ok(help.includes(`${code} ${meaning}`), `the help says something else than "${meaning}"`)
  }
})

test('docs/errors.md has a section for each error code, and for no other', () => {
  const sections = [...fragments(page('docs/errors.md'))].filter((fragment) => fragment.startsWith('err_'))
  assert.deepEqual(sections.sort(), Object.keys(ERROR_CODES).map((code) => code.toLowerCase()).sort())
})
