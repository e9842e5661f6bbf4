import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Machine } from '../../src/config/machine.ts'
import { derivedRange, resolveSizing } from '../../src/config/sizing.ts'
import { parseWorkers } from '../../src/config/workers.ts'

const MIB = 1024 ** 2

function sizing(text: string, machine: Partial<Machine> = {}) {
  const workers = parseWorkers(text)
  assert.ok(workers, `${text} is understood`)
  return resolveSizing(workers, { cores: 8, quota: undefined, memoryLimit: undefined, ...machine })
}

const given = (text: string, cores: number) => derivedRange(text, { cores, quota: undefined, memoryLimit: undefined })

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

  for (const [text, machine, least, most] of [
    ['2-8', {}, 2, 8],
    ['1-auto', {}, 1, 8],
    ['1-AUTO', { quota: 3 }, 1, 3],
    ['1-max', { quota: 3 }, 1, 8],
    ['2-50%', {}, 2, 4],
    ['25%-200%', {}, 2, 16],
    ['1--1', {}, 1, 7],
    ['-6--1', {}, 2, 7],
    ['-2-auto', {}, 6, 8],
    ['4-4', {}, 4, 4],
    ['1-auto', { memoryLimit: 512 * MIB }, 1, 4],
    ['1-8', { memoryLimit: 512 * MIB }, 1, 8],
    ['4-auto', { cores: 2 }, 4, 4],
    ['auto-2', {}, 2, 2],
    ['max-auto', { quota: 2 }, 2, 2],
    ['50%-25%', {}, 2, 2],
  ] as const) {
    it(`is ${least} to ${most} for ${text} with ${JSON.stringify({ cores: 8, ...machine })}`, () => {
      const { size, ...others } = sizing(text, machine)
      assert.deepEqual([size, others.most], [least, most])
    })
  }

  it('is no range with more than there can be, nor one that begins with more than it ends', () => {
    assert.throws(() => sizing('8-2'), { code: 'ERR_EVERYCORE_SETTING', message: '--workers 8-2: 8 is more than 2', hint: 'Give the lower number first: --workers 2-8.' })
    assert.throws(() => sizing('1-1000%', { cores: 200 }), { code: 'ERR_EVERYCORE_SETTING' })
  })

  it('follows the machine where it was derived from it, and never fails then', () => {
    assert.deepEqual([given('2-auto', 4), given('2-auto', 1), given('auto', 3), given('1-50%', 8)], [{ least: 2, most: 4 }, { least: 2, most: 2 }, { least: 3, most: 3 }, { least: 1, most: 4 }])
    assert.deepEqual([given('2-8', 4), given('3', 4)], [undefined, undefined])
  })

  for (const text of ['2-', '2-8-9', '2..8', '0-4', '1-0', '1-1025', 'auto-', '-auto', '2 - 8', '--', '1---1', '0', '', 'abc', '1.5', '1025', '-0', '0%', '-50%', '1e3', '99999', '0x4', '1 000', '+2', '-', '%']) {
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

  it('warns when the machine leaves no choice', () => {
    assert.deepEqual(sizing('4-auto', { cores: 2 }).warnings, ['--workers 4-auto means 4 to 2 on this machine: there will always be 4 workers.', '4 workers on 2 cores: more workers, more switching, not more throughput.'])
  })

  it('of two ends warns of the second by cores, and of memory by the first: for more it is looked at when they are wanted', () => {
    assert.deepEqual(sizing('1-16', { memoryLimit: 512 * MIB }).warnings, ['16 workers on 8 cores: more workers, more switching, not more throughput.'])
    assert.deepEqual(sizing('8-8', { memoryLimit: 512 * MIB }).warnings, ['8 workers share a memory limit of 512M: 64M each, and a Node.js server needs about 128M.'])
    assert.deepEqual(sizing('1-auto', { memoryLimit: 512 * MIB }).warnings, ['4 workers instead of 8: the memory limit of 512M has room for no more, at 128M each.'])
  })

  it('says nothing about one worker, which is the least there can be', () => assert.deepEqual(sizing('1', { memoryLimit: 64 * MIB }).warnings, []))
})
