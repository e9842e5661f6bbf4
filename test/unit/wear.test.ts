import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { wearOf, type Aged } from '../../src/primary/wear.ts'
import type { HealthSettings } from '../../src/config/types.ts'

const NEW: Aged = { slot: 0, ageMs: 0, fullBeats: 0, rss: 50e6, heap: 0.1, requests: 0 }
const NO_LIMITS: HealthSettings = { hangTimeoutMs: 0, maxMemory: undefined, maxRequests: undefined, maxLifetimeMs: undefined }

const wear = (worker: Partial<Aged>, limits: Partial<HealthSettings> = {}, size = 4): ReturnType<typeof wearOf> => wearOf({ ...NEW, ...worker }, { ...NO_LIMITS, ...limits }, size)

describe('a worker is worn', () => {
  test('never, without limits, but for a heap that stays nearly full', () => {
    assert.equal(wear({ rss: 64e9, requests: 1e9, ageMs: 1e12, fullBeats: 3 }), undefined)
    assert.equal(wear({ fullBeats: 4 }), 'heap')
  })

  test('by memory above the limit, and must go at once above one and a half of it', () => {
    const limits = { maxMemory: 100e6 }
    assert.deepEqual([100e6, 101e6, 150e6, 151e6].map((rss) => wear({ rss }, limits)), [undefined, 'memory', 'memory', 'kill'])
  })

  for (const [why, limits, field] of [
    ['requests', { maxRequests: 1000 }, 'requests'],
    ['lifetime', { maxLifetimeMs: 1000 }, 'ageMs'],
  ] as const) {
    test(`by ${why}, each slot a little earlier than the one before, and none later than the limit`, () => {
      const values = Array.from({ length: 1001 }, (_, value) => value)
      assert.deepEqual([0, 1, 2, 3].map((slot) => values.find((value) => wear({ slot, [field]: value }, limits) === why)), [1000, 950, 900, 850])
    })
  }

  test('by its first request, where one is the limit', () => {
    assert.deepEqual([0, 1].map((requests) => wear({ requests, slot: 3 }, { maxRequests: 1 })), [undefined, 'requests'])
  })
})
