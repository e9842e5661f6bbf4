import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomId } from '../../src/base/random.ts'

test('an identifier by chance has 128 bits, also where the system has no device for it', () => {
  const ids = [randomId(), randomId(), randomId('/nowhere'), randomId('/dev/null')]
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/)
  assert.equal(new Set(ids).size, ids.length)
})
