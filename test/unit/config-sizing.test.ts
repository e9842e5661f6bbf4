import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Machine } from '../../src/config/machine.ts'
import { resolveSizing } from '../../src/config/sizing.ts'
import { parseWorkers } from '../../src/config/workers.ts'

const MIB = 1024 ** 2

function sizing(text: string, machine: Partial<Machine> = {}) {
  const workers = parseWorkers(text)
  assert.ok(workers, `${text} is understood`)
  return resolveSizing(workers, { cores: 8, quota: undefined, memoryLimit: undefined, ...machine })
}

describe('the number of workers', () => {
  for (const [text, machine, size] of [
    ['auto', {}, 8],
    ['AUTO', {}, 8],
    ['auto', { quota: 2.5 }, 2],
    ['auto', { quota: 0.5 }, 1],
    ['auto', { quota: 16 }, 8],
    ['max', { quota: 2 }, 8],
    ['3', {}, 3],
    ['16', {}, 16],
    ['1024', {}, 1024],
    ['50%', {}, 4],
    ['50%', { quota: 3 }, 1],
    ['1%', {}, 1],
    ['200%', {}, 16],
    ['-1', {}, 7],
    ['-1', { cores: 1 }, 1],
    ['-1', { quota: 4 }, 3],
    ['-100', {}, 1],
    ['auto', { memoryLimit: 512 * MIB }, 4],
    ['auto', { memoryLimit: 64 * MIB }, 1],
    ['50%', { memoryLimit: 256 * MIB }, 2],
    ['-1', { memoryLimit: 256 * MIB }, 2],
    ['6', { memoryLimit: 256 * MIB }, 6],
  ] as const) {
    it(`is ${size} for ${text} with ${JSON.stringify({ cores: 8, ...machine })}`, () => assert.equal(sizing(text, machine).size, size))
  }

  for (const text of ['0', '', 'abc', '1.5', '1025', '-0', '0%', '-50%', '1e3', '99999', '0x4', '1 000', '+2', '-', '%']) {
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(parseWorkers(text), undefined))
  }

  it('cannot be a percentage that gives more than 1024', () => {
    assert.throws(() => sizing('1000%', { cores: 200 }), { code: 'ERR_EVERYCORE_SETTING' })
  })
})

describe('the story of the number', () => {
  it('keeps what was asked, and what the machine grants', () => {
    const { asked, cores, quota, auto, memoryLimit, warnings } = sizing('50%', { quota: 2.5, memoryLimit: 4096 * MIB })
    assert.deepEqual({ asked, cores, quota, auto, memoryLimit, warnings }, { asked: '50%', cores: 8, quota: 2.5, auto: 2, memoryLimit: 4096 * MIB, warnings: [] })
  })

  it('warns of more workers than cores', () => {
    assert.deepEqual(sizing('16').warnings, ['16 workers on 8 cores: more workers, more switching, not more throughput.'])
    assert.deepEqual(sizing('max', { quota: 1 }).warnings, ['8 workers on 1 core (CPU quota 1): more workers, more switching, not more throughput.'])
  })

  it('warns when the memory limit lowers the number', () => {
    assert.deepEqual(sizing('auto', { memoryLimit: 512 * MIB }).warnings, ['4 workers instead of 8: the memory limit of 512M has room for no more, at 128M each.'])
  })

  it('warns when a number that was asked for does not fit into the memory limit', () => {
    assert.deepEqual(sizing('8', { memoryLimit: 512 * MIB }).warnings, ['8 workers share a memory limit of 512M: 64M each, and a Node.js server needs about 128M.'])
  })

  it('says nothing about one worker, which is the least there can be', () => assert.deepEqual(sizing('1', { memoryLimit: 64 * MIB }).warnings, []))
})
