import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url))

test('the message of every error begins with a small letter: it stands behind `everycore:`', () => {
  const files = readdirSync(SOURCE, { recursive: true }).map(String).filter((path) => path.endsWith('.ts'))
  const capital = files.flatMap((path) => {
    const messages = readFileSync(join(SOURCE, path), 'utf8').matchAll(/(?:EverycoreError\('ERR_\w+', |ettingError\(|addSetting\()(['"`])([A-Z].*?)\1/g)
    return [...messages].map(([, , message]) => `${path}: ${message}`)
  })
  assert.deepEqual(capital, [])
})
