/** The schema and the program must agree on every value: an editor that allows what the start refuses helps nobody. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as v from 'valibot'
import { START_KEYS } from '../../src/config/file/apps.ts'
import { configSchema } from '../../src/config/file/schema.ts'
import { KINDS } from '../../src/config/kinds.ts'
import { SETTING_KEYS, settingOf } from '../../src/config/table.ts'

const validate = new Ajv2020({ allowUnionTypes: true }).compile(configSchema())

type KindName = keyof typeof KINDS

/** Of each kind: what is allowed, and what is not. */
const SAMPLES: Readonly<Record<KindName, { readonly good: readonly unknown[]; readonly bad: readonly unknown[] }>> = {
  workers: { good: ['auto', 'max', 'MAX', ' 4 ', '50%', '-1', '2-8', '1-max', '2-50%', '-6--1', 1, 1024, -2], bad: [0, 1025, 1.5, '0', '0%', 'many', '-50%x', '0-4', '2-', null, true] },
  port: { good: [0, 80, 65_535], bad: [-1, 65_536, 1.5, '80', null] },
  inspectPort: { good: [1, 9229], bad: [0, '9229', true] },
  metricsAddress: { good: [9300, '9300', '127.0.0.1:9300', '[::1]:9300', 'localhost:0'], bad: [-1, 65_536, 'x', 'a:b', true] },
  name: { good: ['api', 'a.b_c-1', 'x'.repeat(64)], bad: ['', '.', '..', 'a b', 'x'.repeat(65), 1] },
  path: { good: ['a', '/a/b'], bad: ['', 'a\0b', 1, null] },
  paths: { good: [[], ['a', 'b']], bad: ['a', [''], [1]] },
  words: { good: [[], ['', '--x']], bad: ['--x', [1], ['\0']] },
  duration: { good: [0, 1500, '30s', '1.5m', '500ms', '2H', ' 1d '], bad: [-1, 2 ** 31, '30', 'soon', '1 week', true, ''] },
  urlPath: { good: ['/', '/healthz?x=1'], bad: ['healthz', '/ä', '/a b', 1] },
  urlPaths: { good: [[], ['/a', '/b']], bad: ['/a', ['a']] },
  surge: { good: [1, 4, '2', '25%'], bad: [0, '0', '-1', '10000', 1.5] },
  hangTimeout: { good: [0, 500, '10s'], bad: [-1, 499, 1, 'x'] },
  shrinkAfter: { good: [1000, '1s', '5m'], bad: [0, 999, 'x'] },
  lifetime: { good: [10_000, '12h'], bad: [0, 9999, 'x'] },
  size: { good: [16 * 1024 ** 2, '512M', '1.5G', '64mb', '1GiB'], bad: [0, 1024, 'much', '1.5.5G', 16 * 1024 ** 2 + 0.5] },
  logSize: { good: [0, 65_536, '10M'], bad: [1, 65_535, 'much'] },
  logBuffer: { good: [0, 262_144, '1M'], bad: [1, 2 ** 29, 'much'] },
  age: { good: [0, 1, '7d', '365d'], bad: [-1, 'x', 1e15] },
  rotateEvery: { good: [0, 60_000, '1d'], bad: [1, 59_999, 'x'] },
  keep: { good: [0, 100], bad: [-1, 101, '5'] },
  spares: { good: [0, 16], bad: [-1, 17, '1'] },
  count: { good: [1, 10_000], bad: [0, 1.5, '1'] },
  signal: { good: ['SIGTERM', 'SIGINT'], bad: ['SIGKILL', 'TERM', 15] },
  flag: { good: [true, false], bad: ['yes', 1, null] },
  logFormat: { good: ['pretty', 'json', 'raw'], bad: ['xml', 1] },
  balance: { good: ['least-busy', 'shared', 'reuseport', 'round-robin'], bad: ['random', {}] },
  sticky: { good: ['ip', 'cookie', 'cookie:sid', 'header:x-user'], bad: ['sid', 'cookie:', true] },
  addresses: { good: [[], ['10.0.0.0/8', 'unix']], bad: ['10.0.0.1', [''], [1]] },
  factor: { good: [1, 1.25, 100], bad: [0.9, 101, '1.25'] },
  control: { good: [true, false, 'on', 'off', '9300', '127.0.0.1:9300', '[::1]:9300'], bad: ['0.0.0.0:9300', 'x', 9300, null] },
  verbosity: { good: ['quiet', 'normal', 'verbose'], bad: ['loud', 1] },
  identity: { good: [0, 1000, 'node', '_www', 'svc$'], bad: [-1, 1.5, 'a b', '1node', ''] },
}

const kindOf = (key: (typeof SETTING_KEYS)[number]): KindName | undefined => (Object.keys(KINDS) as KindName[]).find((name) => KINDS[name] === settingOf(key).kind)

describe('the schema and the program judge alike', () => {
  for (const key of SETTING_KEYS) {
    const name = kindOf(key)
    it(key, () => {
      assert.ok(name !== undefined, 'the kind is in the table of kinds')
      for (const value of SAMPLES[name].good) {
        assert.ok(validate({ [key]: value }), `the schema refuses ${JSON.stringify(value)}`)
        assert.ok(validate({ apps: [{ name: 'a', [key]: name === 'name' ? 'a' : value }] }))
        assert.ok(v.safeParse(settingOf(key).kind.schema, value).success, `the program refuses ${JSON.stringify(value)}`)
      }
      for (const value of SAMPLES[name].bad) {
        assert.ok(!validate({ [key]: value }), `the schema allows ${JSON.stringify(value)}`)
        assert.ok(!v.safeParse(settingOf(key).kind.schema, value).success, `the program allows ${JSON.stringify(value)}`)
      }
    })
  }

  it('has every key, with a description, and no other', () => {
    const { $defs } = configSchema() as { readonly $defs: { readonly app: { readonly properties: Readonly<Record<string, { readonly description?: string }>> } } }
    assert.deepEqual(Object.keys($defs.app.properties).sort(), [...SETTING_KEYS, ...START_KEYS].sort())
    for (const [key, { description }] of Object.entries($defs.app.properties)) assert.match(description ?? '', /\.$/, key)
  })
})

describe('the schema', () => {
  for (const [name, config, isGood] of [
    ['an empty file', {}, true],
    ['its own address', { $schema: 'https://example.org' }, true],
    ['variables', { env: { A: 'x', B: 1, C: true, D: null } }, true],
    ['a variable that is an object', { env: { A: {} } }, false],
    ['a variable with =', { env: { 'A=B': 'x' } }, false],
    ['script and arguments', { script: 'a.js', args: ['x'] }, true],
    ['arguments in one text', { args: 'x' }, false],
    ['an unknown key', { workres: 1 }, false],
    ['a key that only the library has', { stdout: 1 }, false],
    ['no app', { apps: [] }, false],
    ['a name beside apps', { name: 'x', apps: [{ name: 'a' }] }, false],
    ['common settings beside apps', { workers: 2, apps: [{ name: 'a' }, { name: 'b' }] }, true],
    ['apps in an app', { apps: [{ name: 'a', apps: [] }] }, false],
    ['a list', [], false],
  ] as const) {
    it(`${isGood ? 'allows' : 'refuses'} ${name}`, () => assert.equal(validate(config), isGood))
  }
})
