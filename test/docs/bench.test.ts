/** bench/README.md describes every bench and every peer, and run.mjs runs them all. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { page, ROOT } from './markdown.ts'

const names = readdirSync(join(ROOT, 'bench'))
  .filter((name) => name.endsWith('.mjs') && name !== 'run.mjs')
  .map((name) => name.slice(0, -'.mjs'.length))
  .sort()
const { text } = page('bench/README.md')

test('run.mjs knows every bench', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'bench/run.mjs'), 'none-of-them'], { encoding: 'utf8' })
  assert.equal(status, 2)
  const known = /there are (.*)/.exec(stderr)?.[1]?.split(', ') ?? []
  assert.deepEqual(known.sort(), names)
})

test('bench/README.md has a paragraph for every bench', () => {
  assert.deepEqual([...text.matchAll(/^\*\*`([a-z-]+)`\*\*/gm)].map(([, name = '']) => name).sort(), names)
})

test('bench/README.md lists every peer', async () => {
  const { PEERS } = (await import(pathToFileURL(join(ROOT, 'bench/lib/peers.mjs')).href)) as { readonly PEERS: Readonly<Record<string, unknown>> }
  const table = text.slice(text.indexOf('| key | name |'), text.indexOf('The apps in'))
  const listed = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, key = '']) => key))
  assert.deepEqual(listed.sort(), Object.keys(PEERS).sort())
})
