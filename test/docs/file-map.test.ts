import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { page, ROOT } from './markdown.ts'

test('the file map in docs/architecture.md names every file of src/ once, and no other', () => {
  const { text } = page('docs/architecture.md')
  const map = /^## File map$([\s\S]*?)^## /m.exec(text)?.[1]
  assert.ok(map !== undefined, 'docs/architecture.md has a section "File map" with another one after it')
  const named = [...map.matchAll(/^\| `([^`]+\.ts)` \|/gm)].map(([, name = '']) => name).sort()
  const files = readdirSync(join(ROOT, 'src'), { recursive: true }).map(String).filter((name) => name.endsWith('.ts')).sort()
  assert.deepEqual(named.filter((name) => !files.includes(name)), [], 'named, but not there')
  assert.deepEqual(files.filter((name) => !named.includes(name)), [], 'there, but not named')
  assert.equal(named.length, files.length, `named twice: ${named.filter((name, index) => named.indexOf(name) !== index).join(', ')}`)
})
