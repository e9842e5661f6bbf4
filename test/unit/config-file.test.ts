/** From a directory to the apps of its config file. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { EverycoreError } from '../../src/base/errors.ts'
import { splitApps } from '../../src/config/file/apps.ts'
import { choose } from '../../src/config/file/choose.ts'
import { defineConfig } from '../../src/config/file/define.ts'
import { findConfig, namedConfig } from '../../src/config/file/find.ts'
import { parseJson } from '../../src/config/file/json.ts'
import { readConfig } from '../../src/config/file/read.ts'
import { requireTrusted } from '../../src/config/file/trusted.ts'
import { nodeHost, type Host } from '../../src/config/host.ts'
import { resolveSettings } from '../../src/config/resolve.ts'
import type { Settings } from '../../src/config/types.ts'
import { fakeHost, type FakeEntry } from './config-host.ts'

function thrown(action: () => unknown): EverycoreError {
  try {
    action()
  } catch (error) {
    if (error instanceof EverycoreError) return error
    throw error
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' })
}

async function rejected(promise: Promise<unknown>): Promise<EverycoreError> {
  const error: unknown = await promise.then(() => undefined, (reason: unknown) => reason)
  assert.ok(error instanceof EverycoreError, String(error))
  return error
}

/** Real files, because Node itself loads them. */
function files(t: TestContext, contents: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-config-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return directory
}

const host: Host = { ...nodeHost(), euid: 1000 }
const read = async (directory: string, name: string, on: Partial<Host> = {}, mode = 'production') => readConfig(join(directory, name), { mode, namedMode: undefined, env: { A: '1' }, cwd: directory, host: { ...host, ...on } })
const valuesOf = async (...given: Parameters<typeof read>) => (await read(...given)).apps.map(({ values }) => values)

describe('a config file', () => {
  for (const [name, entries, found] of [
    ['in the directory', { '/p/a/everycore.config.js': '', '/p/a/package.json': '{}' }, '/p/a/everycore.config.js'],
    ['above it, up to the package.json', { '/p/everycore.config.json': '', '/p/package.json': '{}', '/p/a': { kind: 'directory' } }, '/p/everycore.config.json'],
    ['above it, up to the repository', { '/p/everycore.config.mts': '', '/p/.git': { kind: 'directory' }, '/p/a': { kind: 'directory' } }, '/p/everycore.config.mts'],
    ['in package.json', { '/p/a/package.json': '{ "everycore": {} }' }, '/p/a/package.json'],
  ] as const satisfies readonly (readonly [string, Readonly<Record<string, FakeEntry>>, string])[]) {
    it(`is found ${name}`, () => assert.equal(findConfig('/p/a', fakeHost(entries)), found))
  }

  for (const [name, entries] of [
    ['nothing is there', {}],
    ['it lies above the package', { '/p/everycore.config.js': '', '/p/a/package.json': '{}' }],
    ['it lies above the repository', { '/p/everycore.config.js': '', '/p/a/.git': '' }],
    ['package.json only depends on everycore', { '/p/a/package.json': '{ "dependencies": { "everycore": "1" } }' }],
    ['package.json is no JSON', { '/p/a/package.json': '"everycore"{' }],
    ['a directory has the name', { '/p/a/everycore.config.js': { kind: 'directory' } }],
  ] as const satisfies readonly (readonly [string, Readonly<Record<string, FakeEntry>>])[]) {
    it(`is not found when ${name}`, () => assert.equal(findConfig('/p/a', fakeHost(entries)), undefined))
  }

  it('must be the only one in its directory', () => {
    const error = thrown(() => findConfig('/p', fakeHost({ '/p/everycore.config.ts': '', '/p/everycore.config.js': '', '/p/package.json': '{"everycore":{}}' })))
    assert.deepEqual([error.code, error.exitCode, error.message, error.hint], ['ERR_EVERYCORE_CONFIG', 4, 'two config files in /p: everycore.config.ts, everycore.config.js, package.json', 'Keep one, or name one: --config everycore.config.ts'])
  })

  it('that is named must be there', () => {
    assert.equal(namedConfig('c.js', '/p', fakeHost({ '/p/c.js': '' })), '/p/c.js')
    const error = thrown(() => namedConfig('everycore.confg.js', '/p', fakeHost({ '/p/everycore.config.js': '' })))
    assert.deepEqual([error.code, error.why, error.hint], ['ERR_EVERYCORE_CONFIG', 'There is no /p/everycore.confg.js.', 'Did you mean /p/everycore.config.js?'])
    assert.match(thrown(() => namedConfig('.', '/p', fakeHost({ '/p/c.js': '' }))).why ?? '', /is a directory/)
  })
})

describe('what is chosen', () => {
  it('comes from flags, then from variables, then NODE_ENV', () => {
    assert.deepEqual(choose({}, {}), { file: undefined, mode: 'production', namedMode: undefined, only: undefined })
    assert.deepEqual(choose({}, { EVERYCORE_CONFIG: 'a', EVERYCORE_MODE: 'b', EVERYCORE_ONLY: 'c, d', NODE_ENV: 'e' }), { file: 'a', mode: 'b', namedMode: 'b', only: ['c', 'd'] })
    assert.equal(choose({}, { NODE_ENV: 'test' }).mode, 'test')
    const flags = { config: { flag: '--no-config', texts: [''] }, mode: { flag: '--env', texts: ['x'] }, only: { flag: '--only', texts: ['a', 'b,c'] } }
    assert.deepEqual(choose(flags, { EVERYCORE_CONFIG: 'a' }), { file: null, mode: 'x', namedMode: 'x', only: ['a', 'b', 'c'] })
  })

  it('must have a value', () => {
    assert.equal(thrown(() => choose({ config: { flag: '--config', texts: [''] } }, {})).code, 'ERR_EVERYCORE_USAGE')
    assert.equal(thrown(() => choose({ only: { flag: '--only', texts: [','] } }, {})).code, 'ERR_EVERYCORE_USAGE')
  })
})

describe('as root, a config file', () => {
  const root = { euid: 0 }
  for (const [name, entries] of [
    ['is root\'s, and so is all above', { '/srv/app/c.js': '' }],
    ['lies in a directory of its own below a shared one', { '/tmp/x/c.js': '' }],
  ] as const satisfies readonly (readonly [string, Readonly<Record<string, FakeEntry>>])[]) {
    it(`is read when it ${name}`, () => requireTrusted(Object.keys(entries)[0] ?? '', fakeHost(entries, root)))
  }

  for (const [flaw, entries] of [
    ['it belongs to user 1000', { '/srv/c.js': { kind: 'file', uid: 1000 } }],
    ['others can write to it (mode 666)', { '/srv/c.js': { kind: 'file', mode: 0o666 } }],
    ['others can write to it (mode 664)', { '/srv/c.js': { kind: 'file', mode: 0o664 } }],
    ['/srv belongs to user 1000', { '/srv/c.js': '', '/srv': { kind: 'directory', uid: 1000 } }],
    ['others can write to /srv (mode 777)', { '/srv/c.js': '', '/srv': { kind: 'directory', mode: 0o777 } }],
    ['others can write to /tmp (mode 1777)', { '/tmp/c.js': '' }],
    ['/home belongs to user 7', { '/home/a/c.js': '', '/home/a': { kind: 'directory' }, '/home': { kind: 'directory', uid: 7 } }],
    ['it belongs to user 5', { '/srv/c.js': { kind: 'symlink', target: '/x/c.js' }, '/x/c.js': { kind: 'file', uid: 5 } }],
    ['/x belongs to user 5', { '/srv/c.js': { kind: 'symlink', target: '/x/c.js' }, '/x/c.js': '', '/x': { kind: 'directory', uid: 5 } }],
  ] as const satisfies readonly (readonly [string, Readonly<Record<string, FakeEntry>>])[]) {
    it(`is refused when ${flaw}`, () => {
      const path = Object.keys(entries)[0] ?? ''
      const error = thrown(() => requireTrusted(path, fakeHost(entries, root)))
      assert.deepEqual([error.code, error.message], ['ERR_EVERYCORE_CONFIG', `refused to read ${path} as root: ${flaw}`])
      requireTrusted(path, fakeHost(entries))
    })
  }

  it('is not even parsed when it is refused, whatever its kind', async () => {
    for (const name of ['everycore.config.json', 'ecosystem.config.js', 'everycore.config.mjs']) {
      const path = `/srv/${name}`
      const error = await rejected(readConfig(path, { mode: '', namedMode: undefined, env: {}, cwd: '/', host: fakeHost({ [path]: { kind: 'file', uid: 1, text: '{' } }, root) }))
      assert.match(error.message, /^refused to read/)
    }
  })
})

describe('JSON of a person', () => {
  for (const [text, line, expected] of [
    ['{\n  "a": 1\n  "b": 2\n}', 3, 'a comma or the closing bracket'],
    ['{\n  "a": 1,\n}', 3, 'a name in double quotes'],
    ['{ a: 1 }', 1, 'a name in double quotes or }'],
    ['{ "a" 1 }', 1, ': after the name'],
    ['{ "a": }', 1, 'a value'],
    ['{ "a": [1, ] }', 1, 'a value'],
    ['{\n// no\n}', 2, 'a name in double quotes or }'],
    ['{}\n{}', 2, 'the end of the file'],
    ['', 1, 'a value'],
    ['{ "a": "x\ny" }', 1, 'a value'],
    ['{ "a": \'hunter2\' }', 1, 'a value'],
    ['{"a":01}', 1, 'a comma or the closing bracket'],
  ] as const) {
    it(`names the line and never quotes: ${JSON.stringify(text)}`, () => {
      assert.throws(() => JSON.parse(text))
      assert.equal(thrown(() => parseJson(text, 'c.json')).why, `Line ${line} is not JSON: expected ${expected}.`)
    })
  }

  it('may begin with a byte order mark', () => assert.deepEqual(parseJson('\uFEFF{"a":1}', 'c.json'), { a: 1 }))

  it('is judged in linear time', () => {
    for (const text of ['['.repeat(500_000), ' '.repeat(1_000_000), `"${'\\'.repeat(999_999)}`, `[${'1,'.repeat(400_000)}`]) assert.equal(thrown(() => parseJson(text, 'c')).code, 'ERR_EVERYCORE_CONFIG')
  })
})

describe('the apps of a config', () => {
  const origins = { file: 'c.js', directory: '/p' }
  const split = (given: unknown) => splitApps(given, origins)

  it('are one where there is no list, and its values are called by the file', () => {
    const [app] = split({ $schema: 'x', workers: 2, env: { A: 1, B: true, C: null, D: 'd' } })
    assert.ok(app)
    assert.deepEqual([app.name, app.values, app.directory, app.where('workers'), app.problems], [undefined, { workers: 2, env: { A: '1', B: 'true', C: undefined, D: 'd' } }, '/p', 'workers (c.js)', []])
  })

  it('take what stands beside the list, unless they say otherwise', () => {
    const apps = split({ workers: 2, env: { A: 1, B: 1 }, apps: [{ name: 'api', env: { B: 2 } }, { name: 'web', workers: 3 }] })
    assert.deepEqual(apps.map(({ name, values }) => [name, values['workers'], values['env']]), [['api', 2, { A: '1', B: '2' }], ['web', 3, { A: '1', B: '1' }]])
    assert.equal(apps[0]?.where('workers'), 'workers of api (c.js)')
  })

  for (const [given, problems] of [
    [undefined, ['c.js exports nothing and not an object']],
    [[], ['c.js exports a list and not an object']],
    ['x', ['c.js exports a string and not an object']],
    [{ apps: {} }, ['apps (c.js) is not a list of apps']],
    [{ apps: [] }, ['apps (c.js) is not a list of apps']],
    [{ name: 'x', apps: [1, { name: 'a' }, { name: 'a' }, {}] }, ['name (c.js) stands beside apps', 'apps[0] (c.js) is a number', 'two apps in c.js have the name "a"', 'apps[3] (c.js) has no name']],
  ] as const satisfies readonly (readonly [unknown, readonly string[]])[]) {
    it(`are refused with all that is wrong: ${problems.join('; ')}`, () => {
      const error = thrown(() => split(given))
      assert.equal(error.exitCode, 2)
      for (const problem of problems) assert.ok(`${error.message}\n${error.why ?? ''}`.includes(problem), `${problem} in ${error.message} ${error.why}`)
    })
  }

  for (const [key, hint] of [
    ['workres', 'Did you mean "workers"?'],
    ['graceful-timeout', 'Did you mean "gracefulTimeoutMs"?'],
    ['gracefulTimeout', 'Did you mean "gracefulTimeoutMs"?'],
    ['max_memory', 'Did you mean "maxMemory"?'],
    ['instances', 'Did you mean "workers"?'],
    ['spare', 'Did you mean "spares"?'],
    ['app', 'Did you mean "apps"?'],
    ['stdout', 'docs/configuration.md lists the keys.'],
    ['__proto__', 'docs/configuration.md lists the keys.'],
    ['env_production', 'A config that is a function gets the mode: export default ({ mode }) => ({ env: ... }).'],
  ] as const) {
    it(`have no key ${key}`, () => {
      const [problem] = split(JSON.parse(`{ ${JSON.stringify(key)}: {} }`))[0]?.problems ?? []
      assert.deepEqual([problem?.message, problem?.hint], [`unknown key "${key}" in c.js`, hint])
    })
  }
})

const config = (values: Readonly<Record<string, unknown>>) => splitApps(values, { file: 'c.js', directory: '/p' })[0]
const choose3 = (): number => 3
const byTenant = (): string => 'x'

describe('a value of a config', () => {
  const entries = { '/p/server.js': '', '/p/app/server.js': '', '/q/server.js': '', '/p/.env': 'FROM=p', '/q/.env': 'FROM=q' }
  const settings = (values: Readonly<Record<string, unknown>>, input: Partial<Parameters<typeof resolveSettings>[0]> = {}): Settings => resolveSettings({ env: {}, cwd: '/q', isTTY: false, host: fakeHost(entries), config: config(values), ...input })

  it('loses to a flag, and wins over a variable', () => {
    const env = { EVERYCORE_WORKERS: '3' }
    const flags = { workers: { flag: '--workers', texts: ['1'] } }
    assert.deepEqual([settings({ workers: 2 }, { env, flags }).given['workers'], settings({ workers: 2 }, { env }).given['workers'], settings({}, { env }).given['workers']].map((found) => [found?.origin, found?.where]), [
      ['flag', '--workers (flag)'],
      ['config', 'workers (c.js)'],
      ['environment', 'EVERYCORE_WORKERS (environment)'],
    ])
  })

  it('that is a number of a duration is milliseconds, and a text has a unit', () => {
    assert.equal(settings({ gracefulTimeoutMs: 1500 }).core.drainTimeoutMs, 1500)
    assert.equal(settings({ gracefulTimeoutMs: '2m' }).core.drainTimeoutMs, 120_000)
    assert.equal(settings({ maxMemory: '512M' }).health.maxMemory, 512 * 1024 ** 2)
  })

  it('that is a path is relative to the file, and what is typed to where it is typed', () => {
    assert.deepEqual([settings({}).launch.script, settings({}).launch.cwd], ['/p/server.js', '/p'])
    assert.deepEqual([settings({ script: 'app/server.js' }).launch.script, settings({ script: 'server.js', cwd: 'app' }).launch.script, settings({ cwd: 'app' }).launch.cwd], ['/p/app/server.js', '/p/app/server.js', '/p/app'])
    assert.deepEqual([settings({ cwd: 'app' }, { script: 'server.js' }).launch.script, settings({ envFiles: ['.env'] }).launch.env['FROM']], ['/q/server.js', 'p'])
    assert.equal(settings({}, { flags: { envFiles: { flag: '--env-file', texts: ['.env'] } } }).launch.env['FROM'], 'q')
    const moved = settings({ script: 'server.js' }, { cwd: '/', flags: { cwd: { flag: '--cwd', texts: ['q'] } } })
    assert.deepEqual([moved.launch.cwd, moved.launch.script], ['/q', '/p/server.js'])
  })

  it('may be a function where the library takes one', () => {
    assert.equal(settings({ balance: choose3 }).balance, choose3)
    assert.equal(settings({ sticky: byTenant }).sticky?.choose, byTenant)
    assert.equal(settings({ balance: choose3 }).balanceFrom, 'c.js')
  })

  it('that is wrong is told with all others, each with its origin, and no variable is quoted', () => {
    const error = thrown(() => settings({ workers: 0, probe: 'x', wrokers: 1, args: 'x', env: { SECRET: { s: 'hunter2' } } }, { env: { EVERYCORE_PORT: 'x' } }))
    assert.deepEqual([error.exitCode, error.message], [2, '6 problems, nothing was started'])
    for (const part of ['- workers (c.js): 0 is not', '- probe (c.js): "x" is not', '- unknown key "wrokers" in c.js\n  Did you mean "workers"?', '- args (c.js) is not', '- env (c.js) is not an object of strings', '- EVERYCORE_PORT (environment)']) assert.ok(error.why?.includes(part), `${part}\n${error.why}`)
    assert.ok(!JSON.stringify(error.why).includes('hunter2'))
  })
})

describe('a config that is a program', () => {
  for (const [name, text] of [
    ['everycore.config.mjs', 'export default { workers: 3 }'],
    ['everycore.config.cjs', 'module.exports = { workers: 3 }'],
    ['compiled/everycore.config.cjs', 'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = { workers: 3 }'],
    ['everycore.config.js', 'module.exports = { workers: 3 }'],
    ['esm/everycore.config.js', 'export default { workers: 3 }'],
    ['function/everycore.config.mjs', 'export default ({ mode, cpus, env }) => ({ workers: mode === "production" && cpus > 0 && env.A === "1" ? 3 : 0 })'],
    ['promise/everycore.config.mjs', 'export default async () => ({ workers: 3 })'],
    ['everycore.config.json', '{ "$schema": "./node_modules/everycore/schema.json", "workers": 3 }'],
    ['package.json', '{ "everycore": { "workers": 3 } }'],
  ] as const) {
    it(`is loaded: ${name}`, async (t) => {
      const directory = files(t, { [name]: text, 'esm/package.json': '{ "type": "module" }', 'function/x': '' })
      assert.deepEqual(await valuesOf(directory, name), [{ workers: 3 }])
    })
  }

  it('is read anew each time, with what it has required', async (t) => {
    const directory = files(t, { 'a.cjs': 'module.exports = require("./b.cjs")', 'b.cjs': 'module.exports = { workers: 1 }', 'c.mjs': 'export default { workers: 1 }' })
    assert.deepEqual([await valuesOf(directory, 'a.cjs'), await valuesOf(directory, 'c.mjs')], [[{ workers: 1 }], [{ workers: 1 }]])
    writeFileSync(join(directory, 'b.cjs'), 'module.exports = { workers: 2 }')
    writeFileSync(join(directory, 'c.mjs'), 'export default { workers: 2 }')
    assert.deepEqual([await valuesOf(directory, 'a.cjs'), await valuesOf(directory, 'c.mjs')], [[{ workers: 2 }], [{ workers: 2 }]])
  })

  for (const [name, text, why] of [
    ['syntax.mjs', 'export default {\n  workers: 2\n  x y\n}', /^SyntaxError: .*\/syntax\.mjs:3\)$/],
    ['syntax.cjs', 'module.exports = {\n  workers: 2\n  x y\n}', /^SyntaxError: .*\/syntax\.cjs:3\)$/],
    ['throws.mjs', '\n\nnope()', /^ReferenceError: nope is not defined \(.*\/throws\.mjs:3\)$/],
    ['throws.cjs', '\nnope()', /^ReferenceError: nope is not defined \(.*\/throws\.cjs:2\)$/],
    ['function.mjs', 'export default () => {\n  throw new Error("no\\nmore")\n}', /^Error: no \(.*\/function\.mjs:2\)$/],
    ['text.mjs', 'throw "a text"', /^it threw a text$/],
    ['package.mjs', 'import "not-there"', /^Error: Cannot find package 'not-there'/],
  ] as const) {
    it(`that throws is told with file, line and cause: ${name}`, async (t) => {
      const error = await rejected(read(files(t, { [name]: text }), name))
      assert.deepEqual([error.code, error.exitCode, error.message], ['ERR_EVERYCORE_CONFIG', 4, `cannot load ${name}`])
      assert.match(error.why ?? '', why)
    })
  }

  it('that imports everycore where it is not installed is told what to do', async (t) => {
    const error = await rejected(read(files(t, { 'c.mjs': 'import { defineConfig } from "everycore"\nexport default defineConfig({})' }), 'c.mjs'))
    assert.equal(error.hint, 'npm install everycore, or export the object without defineConfig: it only adds types.')
  })
})

describe('defineConfig', () => {
  it('returns what it gets, with its type', () => {
    const plain: { readonly workers: 3 } = defineConfig({ workers: 3 })
    assert.deepEqual(plain, { workers: 3 })
    const byContext = defineConfig(({ cpus, mode }) => ({ workers: cpus, balance: (loads) => loads[0]?.slot, apps: [{ name: mode, env: { A: 1, B: null } }] }))
    assert.equal(typeof byContext, 'function')
    // @ts-expect-error -- no such key
    defineConfig({ wrokers: 3 })
  })
})

describe('a config in TypeScript', () => {
  const enumeration = 'enum Size { small = 3 }\nconst workers: number = Size.small\nexport default { workers }'

  it('needs one of the two', async (t) => {
    const error = await rejected(read(files(t, { 'everycore.config.ts': enumeration }), 'everycore.config.ts', { stripsTypes: false, resolvePackage: () => undefined }))
    assert.deepEqual([error.code, error.message], ['ERR_EVERYCORE_CONFIG', 'cannot load everycore.config.ts: nothing here runs .ts files'])
    assert.match(error.hint ?? '', /npm install tsx .* or use Node\.js 22\.18 or later/)
  })
})
