/** docs/reliability.md names a test for each fault: it is there, and says so in its name. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { page, ROOT } from './markdown.ts'

const { text } = page('docs/reliability.md')
const faults = [...text.matchAll(/^\| (.+) \| .+ \| `(\w+\/[\w-]+)`: (.+) \|$/gm)]

test('every fault in docs/reliability.md has a test, by file and name', () => {
  assert.ok(faults.length > 50, `${faults.length} faults`)
  const missing = faults.filter(([, , file = '', name = '']) => !readFileSync(join(ROOT, 'test', `${file}.test.ts`), 'utf8').includes(name))
  assert.deepEqual(missing.map(([row]) => row), [])
})
