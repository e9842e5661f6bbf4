/** What becomes of files of PM2. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EverycoreError } from '../../src/base/errors.ts'
import { isConfigFile, isPm2File } from '../../src/config/file/names.ts'
import { convertPm2, fromPm2, type Converted } from '../../src/config/pm2/convert.ts'
import { PM2_KEYS, pm2Key } from '../../src/config/pm2/keys.ts'
import { writeMigrated } from '../../src/config/pm2/write.ts'
import { resolveSettings } from '../../src/config/resolve.ts'
import { isSettingKey } from '../../src/config/table.ts'
import { START_KEYS } from '../../src/config/file/apps.ts'
import { fakeHost } from './config-host.ts'

/** Every key of an app that PM2 7.0 names in its schema or its types, with all spellings. */
const DOCUMENTED = [
  'script exec name name_prefix filter_env namespace install_url cwd args exec_interpreter interpreter node_args interpreterArgs interpreter_args',
  'out_file out output out_log error_file error err err_file err_log log_file log disable_logs log_type log_date_format time env env_production env_staging',
  'max_memory_restart pid_file pid restart_delay exp_backoff_restart_delay source_map_support disable_source_map_support wait_ready instances kill_timeout',
  'shutdown_with_message listen_timeout cron_restart cron merge_logs combine_logs vizion autostart autorestart stop_exit_codes watch_delay watch ignore_watch',
  'watch_options min_uptime max_restarts execute_command exec_mode force append_env_to_name post_update trace disable_trace v8 event_loop_inspector',
  'deep_monitoring increment_var instance_var pmx automation treekill port username uid user gid windowsHide kill_retry_time write io',
  'container dist image_name imageName node_version nodeVersion fresh dockerdaemon',
].join(' ').split(' ')

const one = (app: object): Converted => convertPm2({ apps: [{ script: 'server.js', ...app }] }, 'e.js')[0] ?? assert.fail('no app')

describe('the keys of PM2', () => {
  it('are all in the table, and the table has no other', () => {
    assert.deepEqual(DOCUMENTED.filter((key) => pm2Key(key) === undefined), [])
    const named = Object.entries(PM2_KEYS).flatMap(([key, { aliases }]) => [key, ...aliases]).filter((key) => key !== 'env_*')
    assert.deepEqual(named.filter((key) => !DOCUMENTED.includes(key)), [])
  })

  for (const [key, { aliases, fate, becomes, text }] of Object.entries(PM2_KEYS)) {
    it(`${key} is ${fate}, and that is so`, () => {
      assert.ok(text.length > 5)
      assert.deepEqual(becomes.filter((name) => !isSettingKey(name) && !START_KEYS.some((known) => known === name)), [])
      assert.equal(becomes.length > 0, fate === 'mapped')
      const value: unknown = { env: { A: '1' }, 'env_*': { A: '2' }, instances: 3, exec_mode: 'fork', interpreter: 'ts-node', log_type: 'json', name: 'n', args: 'x', node_args: '--x', kill_timeout: 7, listen_timeout: 7, port: 7, max_memory_restart: '99M', uid: 'node', gid: 'node', cwd: 'app', name_prefix: 'p-', instance_var: 'NODE_APP_INSTANCE' }[key] ?? true
      const name = key === 'env_*' ? 'env_x' : key
      for (const spelling of [name, ...aliases]) {
        if (key === 'script') continue
        // Alone it is nothing.
        const beside = key === 'error_file' ? { out_file: 'out.log' } : {}
        const { values, modes, notes, name: app, from } = one({ ...beside, [spelling]: value })
        const plain = one(beside)
        const isNoted = notes.some((note) => note.startsWith(`${name} is left out: `))
        const isMapped = key === 'exec_mode' || JSON.stringify([values, modes, app, from]) !== JSON.stringify([plain.values, plain.modes, plain.name, plain.from])
        assert.deepEqual([isMapped, isNoted, notes.length], [fate === 'mapped', fate === 'missing', fate === 'missing' ? 1 : 0], spelling)
      }
    })
  }

  it('that say what everycore cannot do are named', () => {
    for (const [app, note] of [
      [{ autorestart: false }, /^autorestart: false is left out/],
      [{ autostart: false }, /^autostart: false is left out/],
      [{ treekill: false }, /^treekill: false is left out/],
      [{ instance_var: 'MY_SLOT' }, /^instance_var is left out: read NODE_APP_INSTANCE or EVERYCORE_SLOT instead of MY_SLOT$/],
      [{ exec_mode: 'fork', instances: 4 }, /^exec_mode: fork with several instances/],
      [{ error_file: 'error.log' }, /^error_file is left out: it takes an out_file$/],
      [{ out_file: 'out.log', log_file: 'all.log' }, /^log_file is left out: the output is in out_file$/],
      [{ max_memry_restart: 1 }, /^max_memry_restart is left out: PM2 documents no such key \(max_memory_restart\?\)$/],
    ] as const) {
      const { notes } = one(app)
      assert.equal(notes.length, 1)
      assert.match(notes[0] ?? '', note)
    }
    for (const app of [{ autorestart: true }, { autostart: true }, { treekill: true }, { watch: false }, { out_file: '' }]) assert.deepEqual(one(app).notes, [])
  })
})

describe('an app of PM2', () => {
  for (const [app, workers] of [
    [{}, 1],
    [{ instances: 1 }, '1'],
    [{ instances: 4 }, '4'],
    [{ instances: '4' }, '4'],
    [{ instances: 0 }, 'auto'],
    [{ instances: '0' }, 'auto'],
    [{ instances: 'max' }, 'auto'],
    [{ instances: -1 }, '-1'],
    [{ instances: 'max', exec_mode: 'cluster' }, 'auto'],
    [{ exec_mode: 'cluster_mode' }, 1],
    [{ exec_mode: 'fork' }, 1],
    [{ exec_mode: 'fork', instances: 1 }, 1],
    [{ exec_mode: 'fork_mode', instances: 3 }, '3'],
  ] as const) {
    it(`with ${JSON.stringify(app)} has workers: ${workers}`, () => assert.equal(one(app).values['workers'], workers))
  }

  it('has its values by our names, units and lists', () => {
    const { values, name, modes } = one({ name: 'shop api', name_prefix: 'x-', args: 'a "b c"', node_args: ['--x', '--y=1'], interpreter: 'node@20', source_map_support: true, kill_timeout: 3000, listen_timeout: 8000, max_memory_restart: '300M', wait_ready: true, port: 3000, user: 'node', gid: 1, log_type: 'json', cwd: 'app', env: { N: 1, O: { a: 1 } }, env_production: { N: 2 } })
    assert.equal(name, 'x-shop-api')
    assert.deepEqual(modes, { production: { N: 2 } })
    assert.deepEqual(values, {
      script: 'server.js', cwd: 'app', port: 3000, waitReady: true, readyTimeoutMs: 8000, gracefulTimeoutMs: 3000, maxMemory: '300M', uid: 'node', gid: 1,
      args: ['a', 'b c'], nodeArgs: ['--enable-source-maps', '--x', '--y=1'], env: { N: 1, O: '{"a":1}' }, logFormat: 'json', workers: 1, killSignal: 'SIGINT',
    })
  })

  for (const [app, message] of [
    [{ script: 'npm', args: 'start' }, /everycore runs Node\.js scripts, and not npm/],
    [{ script: 'main.py', interpreter: 'python3' }, /everycore runs Node\.js, and not python3/],
    [{ script: 'x', interpreter: 'none' }, /and not none/],
    [{ interpreter: 'bun' }, /and not bun/],
    [{ script: undefined }, /has no script/],
  ] as const) {
    it(`is refused: ${JSON.stringify(app)}`, () => assert.match(one(app).problems[0]?.message ?? '', message))
  }
})

describe('a file of PM2', () => {
  const origins = { file: 'ecosystem.config.js', directory: '/p', mode: undefined }

  for (const [name, given, names] of [
    ['a list in apps', { apps: [{ script: 'a.js' }, { script: 'lib/b.js' }], deploy: {} }, ['a', 'b']],
    ['one in apps', { apps: { script: 'a.js' } }, ['a']],
    ['a list', [{ script: 'a.js' }, { exec: 'b.js' }], ['a', 'b']],
    ['an app', { name: 'x', script: 'a.js' }, ['x']],
    ['two of one name', { apps: [{ script: 'a.js' }, { script: 'a.js' }] }, ['a', 'a-2']],
  ] as const) {
    it(`may be ${name}`, () => assert.deepEqual(fromPm2(given, origins).map((app) => app.name), names))
  }

  for (const given of [undefined, {}, { apps: [] }, { apps: [1] }, 'x', { workers: 2 }]) {
    it(`is none: ${JSON.stringify(given)}`, () => assert.throws(() => fromPm2(given, origins), (error) => error instanceof EverycoreError && error.exitCode === 2))
  }

  it('has its modes when one is named, and only then', () => {
    const given = { apps: [{ script: 'a.js', env: { A: 1, B: 1 }, env_production: { B: 2 }, append_env_to_name: true }] }
    const [plain] = fromPm2(given, origins)
    const [production] = fromPm2(given, { ...origins, mode: 'production' })
    const [other] = fromPm2(given, { ...origins, mode: 'other' })
    assert.deepEqual([plain?.values['env'], production?.values['env'], production?.name], [{ A: '1', B: '1' }, { A: '1', B: '2' }, 'a-production'])
    assert.deepEqual(other?.warnings, ['ecosystem.config.js: a has no env_other'])
  })

  it('has its mistakes told by the names of PM2, all at once', () => {
    const [app] = fromPm2({ apps: [{ script: 'npm', name: 'a', kill_timeout: 'soon', max_memory_restart: '1K', instances: 'many' }] }, origins)
    try {
      resolveSettings({ env: {}, cwd: '/p', isTTY: false, host: fakeHost({ '/p/server.js': '' }), config: app })
      assert.fail('nothing was thrown')
    } catch (error) {
      assert.ok(error instanceof EverycoreError)
      for (const part of ['kill_timeout of a (ecosystem.config.js): "soon"', 'max_memory_restart of a', 'instances of a (ecosystem.config.js): "many"', 'and not npm']) assert.ok(error.why?.includes(part), `${part}\n${error.why}`)
    }
  })

  it('is written as a config that has the same values', async () => {
    const given = { apps: [{ script: 'a.js', name: "it's", env: { A: "x'y\n", 'B C': 1 }, env_production: { A: 'p' }, watch: '*/ evil\n' }, { script: 'b.js', instances: 2 }] }
    const text = writeMigrated(convertPm2(given, 'e.js'), 'e.js')
    const module = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as { default: (context: { mode: string }) => { apps: object[] } }
    const { apps } = module.default({ mode: 'production' })
    assert.deepEqual(apps, [
      { name: 'it-s', script: 'a.js', workers: 1, killSignal: 'SIGINT', env: { A: 'p', 'B C': 1 } },
      { name: 'b', script: 'b.js', workers: '2', killSignal: 'SIGINT' },
    ])
  })

  it('is known by the names of the manual of PM2', () => {
    for (const name of ['ecosystem.config.js', 'ecosystem.config.cjs', 'ecosystem.json', 'ecosystem.prod.config.js', 'pm2.config.js', 'pm2.json', 'process.json', 'processes.json', 'process.yml', 'ecosystem.yaml']) assert.ok(isPm2File(`/a/${name}`), name)
    for (const name of ['server.js', 'process.js', 'everycore.config.js', 'ecosystem', 'pm2.ts', 'ecosystem-server.js', 'webpack.config.js']) assert.ok(!isPm2File(name), name)
    assert.ok(isConfigFile('a/everycore.config.ts'))
  })
})
