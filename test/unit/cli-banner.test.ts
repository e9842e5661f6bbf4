import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { banner, type BannerFacts } from '../../src/cli/banner.ts'
import { resolveSettings, type SettingsInput } from '../../src/config/resolve.ts'
import { fakeHost } from './config-host.ts'

const PLACES = [3000, 3001, 3002, 3003, 3004].map((port) => ({ kind: 'http', address: '::', port }) as const)

function lines(input: Partial<SettingsInput> = {}, facts: Partial<BannerFacts> = {}): readonly string[] {
  const settings = resolveSettings({ env: {}, cwd: '/app', isTTY: false, host: fakeHost({ '/app/server.js': '' }), ...input })
  return banner({ settings, addresses: PLACES.slice(0, 1), size: settings.sizing.size, tookMs: 120, pid: 77, isTTY: true, holdsSockets: true, ...facts }).filter((line) => line !== '')
}

function balanceLine(input: Partial<SettingsInput> = {}, facts: Partial<BannerFacts> = {}): string | undefined {
  return lines(input, facts).find((line) => line.includes('➜ Balance'))?.replace(/^.*Balance +/, '')
}

describe('the first output', () => {
  test('says what runs, where, how connections are spread, and how to steer it', () => {
    const [title = '', ...others] = lines()
    assert.match(title, /^ {2}everycore \S+ {2}\/app\/server\.js {2}node v/)
    assert.deepEqual(others, [
      '  ➜ Listening  http://localhost:3000  (8 workers, ready in 120ms)',
      '  ➜ Balance    least-busy (default): workers accept, surplus goes to others',
      '  ➜ Reload     kill -USR2 77   Stop  Ctrl-C',
    ])
  })

  test('has eight lines at most, and none is longer than 80 columns', () => {
    for (const balance of ['least-busy', 'shared', 'round-robin'] as const) {
      const all = lines({ options: { balance } }, { addresses: PLACES })
      assert.ok(all.length <= 8, all.join('\n'))
      assert.deepEqual(all.filter((line) => line.length > 80), [])
    }
  })

  test('says up to how many workers the load may make it', () => {
    assert.equal(lines({ options: { workers: '1-auto' } })[1], '  ➜ Listening  http://localhost:3000  (1 worker of at most 8, ready in 120ms)')
    assert.match(balanceLine({ options: { workers: '1-auto' } }) ?? '', /^least-busy/)
  })

  test('says who chose the balance', () => {
    assert.equal(balanceLine({ flags: { balance: { flag: '--balance', texts: ['shared'] } } }), 'shared (--balance): workers accept, whoever is awake')
    assert.equal(balanceLine({ env: { EVERYCORE_BALANCE: 'round-robin' } }), 'round-robin (EVERYCORE_BALANCE): supervisor accepts, each in turn')
    assert.equal(balanceLine({ options: { balance: () => undefined } }), 'a function (option), else the least busy worker')
  })

  test('says it when the sockets are those of node:cluster', () => {
    assert.equal(balanceLine({}, { holdsSockets: false }), 'round-robin of node:cluster: this Node cannot hold sockets')
  })

  test('says nothing of a balance where there is one worker', () => {
    assert.equal(balanceLine({ options: { workers: 1 } }), undefined)
  })
})
