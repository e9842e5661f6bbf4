import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeUnusedCode } from '../../src/base/unused-code.ts'

const DAY_MS = 24 * 3600 * 1000

test('compiled code that has not been read for a week is removed, and nothing else', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const now = Date.now()
  const make = (name: string, readDaysAgo: number, writtenDaysAgo: number): void => {
    writeFileSync(join(directory, name), 'x')
    utimesSync(join(directory, name), (now - readDaysAgo * DAY_MS) / 1000, (now - writtenDaysAgo * DAY_MS) / 1000)
  }
  const unused = ['verbs.cjs-0123456789abcdef-v20.19.0-x64-2d17bdb6', 'control.cjs-0123456789abcdef-v20.19.0-x64-2d17bdb6', 'main.cjs-0123456789abcdef-v20.19.0-x64', 'hook.cjs-0123456789abcdef-811c9dc5-v22.12.0-x64', 'main.cjs-0123456789abcdef-v20.19.0-x64.4711']
  for (const name of unused) make(name, 8, 9)
  const kept = ['main.cjs-fedcba9876543210-v20.19.0-x64', 'hook.cjs-fedcba9876543210-811c9dc5-v24.0.0-x64', 'v22.12.0-x64-0-0', 'main.cjs-notes']
  make(kept[0] ?? '', 6, 100)
  // Of a file system that does not note when something is read.
  make(kept[1] ?? '', 100, 6)
  mkdirSync(join(directory, kept[2] ?? ''))
  make(kept[3] ?? '', 100, 100)
  symlinkSync('nowhere', join(directory, 'main.cjs-0123456789abcdef-link'))
  removeUnusedCode(directory, now)
  assert.deepEqual(readdirSync(directory).sort(), [...kept, 'main.cjs-0123456789abcdef-link'].sort())
  removeUnusedCode(join(directory, 'missing'), now)
})
