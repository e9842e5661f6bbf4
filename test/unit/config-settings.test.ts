import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EverycoreError } from '../../src/base/errors.ts'
import type { Host } from '../../src/config/host.ts'
import { resolveSettings, type SettingsInput } from '../../src/config/resolve.ts'
import type { SettingKey } from '../../src/config/table.ts'
import type { Settings } from '../../src/config/types.ts'
import { fakeHost, type FakeEntry } from './config-host.ts'

const APP = { '/app/server.js': '', '/app/package.json': '{"name":"shop"}' }

interface Input extends Partial<SettingsInput> {
  readonly files?: Readonly<Record<string, FakeEntry>>
  readonly on?: Partial<Host>
}

function settings({ files, on, ...input }: Input = {}): Settings {
  return resolveSettings({ env: {}, cwd: '/app', isTTY: false, host: fakeHost({ ...APP, ...files }, on), ...input })
}

function failure(input: Input): EverycoreError {
  try {
    settings(input)
  } catch (error) {
    if (error instanceof EverycoreError) return error
    throw error
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' })
}

/** Options as somebody without types gives them. */
function untyped(options: object): Input {
  return { options }
}

function flag(key: SettingKey, name: string, ...texts: readonly string[]): Pick<SettingsInput, 'flags'> {
  return { flags: { [key]: { flag: name, texts } } }
}

describe('without any setting', () => {
  it('everything has its default', () => {
    assert.deepEqual(settings({ env: { PATH: '/bin' } }), {
      name: 'shop',
      launch: { script: '/app/server.js', args: [], cwd: '/app', nodeArgs: [], env: { PATH: '/bin' }, uid: undefined, gid: undefined, inspectPort: undefined },
      sizing: { size: 8, asked: 'auto', cores: 8, quota: undefined, auto: 8, memoryLimit: undefined, warnings: [] },
      core: { readyTimeoutMs: 60_000, drainTimeoutMs: 25_000, bootParallel: 8, stableMs: 10_000, provenMs: 1000, canaryMs: 0, surge: { count: 1 }, maxDraining: 3, spares: 0, maxFailures: 5, backoff: { baseMs: 1000, factor: 1.5, capMs: 30_000, jitter: 0.1 } },
      lingerTimeoutMs: 6000,
      closeSpreadMs: 5000,
      drainDelayMs: 0,
      waitReady: false,
      killSignal: 'SIGTERM',
      balance: 'least-busy',
      sticky: undefined,
      balanceFrom: 'default',
      rebalance: true,
      admission: { probe: undefined, warmUp: [] },
      health: { hangTimeoutMs: 10_000, maxMemory: undefined, maxRequests: undefined, maxLifetimeMs: undefined },
      logFormat: 'raw',
      logFiles: undefined,
      logBuffer: 1_048_576,
      color: false,
      verbosity: 'normal',
      runtimeDir: '/tmp/everycore-1000',
      codeCacheDir: '/tmp/everycore-1000/compile-cache',
      control: { isOn: true, tcp: undefined },
      compileCacheDir: '/tmp/everycore-1000/compile-cache',
      warnings: [],
    })
  })

  it('a terminal gets pretty colours', () => {
    const { logFormat, color } = settings({ isTTY: true })
    assert.deepEqual({ logFormat, color }, { logFormat: 'pretty', color: true })
  })
})

describe('log files', () => {
  it('are relative to the directory of the app, and get no colours even on a terminal', () => {
    const { logFormat, color, logFiles } = settings({ ...flag('logFile', '--log-file', 'log/a.log'), isTTY: true })
    assert.deepEqual({ logFormat, color }, { logFormat: 'raw', color: false })
    assert.deepEqual(logFiles, { file: '/app/log/a.log', errorFile: undefined, maxBytes: 10_485_760, everyMs: 0, keep: 5, maxAgeMs: 0 })
  })

  it('have a size, a stretch of time, a number and an age', () => {
    const { logFiles } = settings({ options: { logFile: '/a', errorFile: 'b', logMaxSize: '1M', logRotateEveryMs: '1d', logKeep: 0, logMaxAgeMs: '30d' } })
    assert.deepEqual(logFiles, { file: '/a', errorFile: '/app/b', maxBytes: 1_048_576, everyMs: 86_400_000, keep: 0, maxAgeMs: 30 * 86_400_000 })
  })

  it('are none when there is only one for errors', () => {
    assert.throws(() => settings(flag('errorFile', '--error-file', 'e.log')), /--error-file \(flag\): there is no log file/)
  })
})

describe('a setting', () => {
  it('is taken from the flag, then the option, then its variable, then the general variable', () => {
    const env = { EVERYCORE_WORKERS: '3', WEB_CONCURRENCY: '4' }
    assert.equal(settings({ ...flag('workers', '--workers', '1'), options: { workers: 2 }, env }).sizing.size, 1)
    assert.equal(settings({ options: { workers: 2 }, env }).sizing.size, 2)
    assert.equal(settings({ env }).sizing.size, 3)
    assert.equal(settings({ env: { WEB_CONCURRENCY: '4' } }).sizing.size, 4)
  })

  it('that is empty in the environment, or undefined as an option, is not given', () => {
    assert.equal(settings({ env: { EVERYCORE_WORKERS: ' ', WEB_CONCURRENCY: '4' } }).sizing.size, 4)
    assert.equal(settings({ ...untyped({ workers: undefined }) }).sizing.size, 8)
  })

  it('that is given several times has the last value', () => assert.equal(settings(flag('workers', '--workers', '1', '2')).sizing.size, 2))

  for (const [name, input, read, value] of [
    ['a bare duration is seconds in a flag', flag('readyTimeoutMs', '--ready-timeout', '90'), (s: Settings) => s.core.readyTimeoutMs, 90_000],
    ['a bare duration is seconds in a variable', { env: { EVERYCORE_GRACEFUL_TIMEOUT: '1.5' } }, (s: Settings) => s.core.drainTimeoutMs, 1500],
    ['a bare duration is milliseconds in an option', { options: { gracefulTimeoutMs: 1500 } }, (s: Settings) => s.core.drainTimeoutMs, 1500],
    ['a duration may have a unit in an option', { options: { gracefulTimeoutMs: '2m' } }, (s: Settings) => s.core.drainTimeoutMs, 120_000],
    ['no ready timeout is 0', flag('readyTimeoutMs', '--ready-timeout', '0'), (s: Settings) => s.core.readyTimeoutMs, 0],
    ['a signal may be short', flag('killSignal', '--kill-signal', 'int'), (s: Settings) => s.killSignal, 'SIGINT'],
    ['a variable may say yes', { env: { EVERYCORE_WAIT_READY: 'Yes' } }, (s: Settings) => s.waitReady, true],
    ['a variable may say no', { env: { EVERYCORE_COLOR: '0' }, isTTY: true }, (s: Settings) => s.color, false],
    ['the port becomes PORT', { options: { port: 3000 }, env: { PORT: '80' } }, (s: Settings) => s.launch.env['PORT'], '3000'],
    ['the name wins over the package', flag('name', '--name', 'a.b_c-1'), (s: Settings) => s.name, 'a.b_c-1'],
    ['the current directory moves all paths', { ...flag('cwd', '--cwd', '../srv'), script: 'x.js', files: { '/srv/x.js': '' } }, (s: Settings) => s.launch.script, '/srv/x.js'],
    ['node arguments of several flags add up', flag('nodeArgs', '--node-args', '--a "--b c"', '--d'), (s: Settings) => s.launch.nodeArgs, ['--a', '--b c', '--d']],
    ['the inspector has a port', flag('inspectPort', '--inspect', '9229'), (s: Settings) => s.launch.inspectPort, 9229],
    ['env files of several flags are read in order', { ...flag('envFiles', '--env-file', 'a', 'b'), files: { '/app/a': 'A=1\nB=1', '/app/b': 'B=2' } }, (s: Settings) => s.launch.env, { A: '1', B: '2' }],
    ['env files of a variable are separated as paths are', { env: { EVERYCORE_ENV_FILE: 'a:b' }, files: { '/app/a': 'A=1', '/app/b': 'B=2' } }, (s: Settings) => s.launch.env, { A: '1', B: '2' }],
    ['a runtime directory is relative to the current directory', { ...flag('runtimeDir', '--runtime-dir', 'run'), files: { '/app': { kind: 'directory', uid: 1000 } } }, (s: Settings) => s.runtimeDir, '/app/run'],
    ['the arguments of the command line belong to the app', { script: 'server.js', args: ['-w', '9'] }, (s: Settings) => s.launch.args, ['-w', '9']],
    ['script and arguments may be options', { options: { script: 'server.js', args: ['a'], env: { A: '1' } } }, (s: Settings) => [s.launch.args, s.launch.env], [['a'], { A: '1' }]],
    ['a user is looked up', { options: { uid: 'node' }, on: { euid: 0 }, files: { '/etc/passwd': 'node:x:5:6::' } }, (s: Settings) => [s.launch.uid, s.launch.gid, s.compileCacheDir], [5, 6, undefined]],
  ] as const satisfies readonly (readonly [string, Input, (settings: Settings) => unknown, unknown])[]) {
    it(name, () => assert.deepEqual(read(settings(input)), value))
  }

  it('that looks like a variable of ours and is none is a warning', () => {
    assert.deepEqual(settings({ env: { EVERYCORE_WORKRES: '4', EVERYCORE_SLOT: '1' } }).warnings, ['EVERYCORE_WORKRES is not a setting; EVERYCORE_WORKERS is.'])
  })
})

describe('a stop that is longer than Kubernetes waits', () => {
  it('is a warning where a delay says that somebody waits', () => {
    const warning = 'A stop may take 35s, --drain-delay and --graceful-timeout together: Kubernetes kills after 30s, unless terminationGracePeriodSeconds is more.'
    assert.deepEqual(settings(flag('drainDelayMs', '--drain-delay', '10s')).warnings, [warning])
    assert.deepEqual(settings(flag('drainDelayMs', '--drain-delay', '5s')).warnings, [])
    assert.deepEqual(settings(flag('gracefulTimeoutMs', '--graceful-timeout', '60s')).warnings, [])
  })
})

describe('a way to spread connections that needs the system', () => {
  for (const [on, why, hint] of [
    [{ canReusePort: () => false, nodeVersion: '20.19.0' }, 'Node 20.19.0 could not bind a second socket to a port (SO_REUSEPORT); Node 22.12 and later can', 'use Node 22.12 or later, or another way to spread connections: least-busy, shared, round-robin'],
    [{ platform: 'darwin' }, 'only Linux spreads connections over several sockets of one port (SO_REUSEPORT)', 'use another way to spread connections: least-busy, shared, round-robin'],
  ] as const satisfies readonly (readonly [Input['on'], string, string])[]) {
    it(`is refused where it is not possible: ${why.slice(0, 20)}`, () => {
      const error = failure({ ...flag('balance', '--balance', 'reuseport'), on })
      assert.deepEqual([error.code, error.message, error.why, error.hint], ['ERR_EVERYCORE_SETTING', '--balance (flag): "reuseport" is not possible here', why, hint])
    })
  }

  it('passes no connections on where they cannot be passed', () => {
    const on = { platform: 'win32' } as const
    const error = failure({ ...flag('balance', '--balance', 'round-robin'), on })
    assert.deepEqual([error.message, error.why, error.hint], ['--balance (flag): "round-robin" is not possible here', 'on Windows connections stay with the worker that accepts them', 'use shared'])
    assert.match(failure({ ...flag('sticky', '--sticky', 'ip'), on }).message, /--sticky \(flag\) is not possible here: on Windows/)
  })

  it('is taken where it is possible, and nothing is tried that was not asked for', () => {
    assert.equal(settings(flag('balance', '--balance', 'reuseport')).balance, 'reuseport')
    assert.equal(settings({ on: { canReusePort: () => assert.fail('tried') } }).balance, 'least-busy')
  })
})

describe('a wrong setting', () => {
  for (const [input, message] of [
    [flag('workers', '--workers', '0'), '--workers (flag): "0" is not a number of workers: use auto, max, 1 to 1024, a percentage such as 50%, or -1 for one less than auto'],
    [{ options: { workers: 1.5 } }, 'workers (option): 1.5 is not a number of workers: use auto, max, 1 to 1024, a percentage such as 50%, or -1 for one less than auto'],
    [{ env: { EVERYCORE_PORT: '65536' } }, 'EVERYCORE_PORT (environment): "65536" is not a port: use 0 to 65535'],
    [flag('name', '--name', '../x'), '--name (flag): "../x" is not a name: use 1 to 64 of the characters a-z A-Z 0-9 . _ -'],
    [flag('name', '--name', '..'), '--name (flag): ".." is not a name: use 1 to 64 of the characters a-z A-Z 0-9 . _ -'],
    [flag('readyTimeoutMs', '--ready-timeout', 'soon'), '--ready-timeout (flag): "soon" is not a duration: use 30s, 1m or 500ms, at most 24 days'],
    [flag('readyTimeoutMs', '--ready-timeout', '30d'), '--ready-timeout (flag): "30d" is not a duration: use 30s, 1m or 500ms, at most 24 days'],
    [{ options: { readyTimeoutMs: '30' } }, 'readyTimeoutMs (option): "30" is not a duration: use 30s, 1m or 500ms, at most 24 days'],
    [flag('killSignal', '--kill-signal', 'SIGKILL'), '--kill-signal (flag): "SIGKILL" is not a signal that can be handled: use SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2'],
    [flag('sticky', '--sticky', 'sid'), '--sticky (flag): "sid" is not a way to tell clients apart: use ip, cookie, cookie:<name> or header:<name>'],
    [flag('sticky', '--sticky', 'header:x user'), '--sticky (flag): "header:x user" is not a way to tell clients apart: use ip, cookie, cookie:<name> or header:<name>'],
    [flag('balance', '--balance', 'random'), '--balance (flag): "random" is not a way to spread connections: use least-busy, shared, reuseport, round-robin'],
    [flag('logMaxSize', '--log-max-size', '1K'), '--log-max-size (flag): "1K" is not a size of a file: use 64K or more, for instance 10M, or 0 for never'],
    [flag('logBuffer', '--log-buffer', '1G'), '--log-buffer (flag): "1G" is not a size: use 256K to 256M, or 0 for nothing'],
    [flag('logRotateEveryMs', '--log-rotate-every', '1'), '--log-rotate-every (flag): "1" is not a stretch of time: use 1m or more, for instance 1d, or 0 for never'],
    [flag('logKeep', '--log-keep', '101'), '--log-keep (flag): "101" is not a number of files: use 0 to 100'],
    [flag('logFormat', '--log-format', 'xml'), '--log-format (flag): "xml" is not a log format: use pretty, json or raw'],
    [{ env: { EVERYCORE_WAIT_READY: 'maybe' } }, 'EVERYCORE_WAIT_READY (environment): "maybe" is not yes or no: use true or false'],
    [flag('inspectPort', '--inspect', '0.0.0.0:9229'), '--inspect (flag): "0.0.0.0:9229" is not a port: use 1 to 65535; the inspector listens on 127.0.0.1 only'],
    [flag('nodeArgs', '--node-args', '"--a'), '--node-args (flag): "\\"--a" is not a list of arguments with every quote closed'],
    [flag('cwd', '--cwd', 'gone'), '--cwd (flag): there is no directory /app/gone'],
    [flag('uid', '--uid', 'a b'), '--uid (flag): "a b" is not a user or group: use a name or a number'],
    [untyped({ port: '80' }), 'port (option): "80" is not a port: use 0 to 65535'],
    [untyped({ nodeArgs: '--x' }), 'nodeArgs (option): "--x" is not a list of arguments with every quote closed'],
    [untyped({ args: 'x' }), 'args (option) is not an array of strings'],
    [untyped({ env: { 'A=B': 'x' } }), 'env (option) is not an object of strings'],
    [untyped({ name: null }), 'name (option): null is not a name: use 1 to 64 of the characters a-z A-Z 0-9 . _ -'],
    [untyped([]), 'the options are not an object'],
  ] as const satisfies readonly (readonly [Input, string])[]) {
    it(`is told as ${message.slice(0, 70)}`, () => {
      const error = failure(input)
      assert.deepEqual([error.code, error.exitCode, error.message], ['ERR_EVERYCORE_SETTING', 2, message])
    })
  }

  it('that is unknown names the nearest one', () => {
    const error = failure(untyped({ workres: 2 }))
    assert.deepEqual([error.message, error.hint], ['unknown option "workres"', 'Did you mean "workers"?'])
    assert.match(failure(untyped({ zzz: 2 })).hint ?? '', /The options are: workers, .*script/)
  })

  it('cannot come from the prototype of an object', () => {
    assert.equal(settings(untyped(JSON.parse('{"workers": 2}'))).sizing.size, 2)
    assert.match(failure(untyped(JSON.parse('{"__proto__": {"workers": 3}}'))).message, /unknown option "__proto__"/)
  })

  it('is told together with all the others, under the code of the first', () => {
    const error = failure({ ...flag('workers', '--workers', '0'), script: 'sever.js', env: { EVERYCORE_PORT: 'x', EVERYCORE_ENV_FILE: 'gone', NODE_OPTIONS: '--inspect=0.0.0.0' }, options: { uid: 1 } })
    assert.deepEqual([error.code, error.exitCode, error.message], ['ERR_EVERYCORE_SETTING', 2, '6 problems, nothing was started'])
    for (const part of ['- --workers (flag)', '- EVERYCORE_PORT (environment)', '- uid (option): only root', '- cannot read env file gone', '- NODE_OPTIONS (environment)', '- cannot find sever.js\n  There is no /app/sever.js.\n  Did you mean server.js?']) {
      assert.ok(error.why?.includes(part), part)
    }
  })

  it('leaves the file system as it is', () => {
    const host = fakeHost(APP)
    assert.throws(() => resolveSettings({ env: { EVERYCORE_WORKERS: '0' }, cwd: '/app', isTTY: false, host }))
    assert.deepEqual(host.made, [])
  })
})

describe('the compile cache', () => {
  for (const [name, input] of [
    ['the user has one', { env: { NODE_COMPILE_CACHE: '/c' } }],
    ['the user wants none', { options: { env: { NODE_DISABLE_COMPILE_CACHE: '1' } } }],
    ['this node has none', { on: { hasCompileCache: false } }],
    ['there is no runtime directory', { files: { '/tmp/everycore-1000': 'a file' } }],
  ] as const satisfies readonly (readonly [string, Input])[]) {
    it(`is off when ${name}`, () => assert.equal(settings(input).compileCacheDir, undefined))
  }
})

it('a TypeScript script runs with the tsx of the project, after the node arguments that were given', () => {
  const { launch } = settings({ script: 'a.ts', options: { nodeArgs: ['--no-warnings'] }, files: { '/app/a.ts': '' }, on: { resolvePackage: () => '/app/tsx.mjs' } })
  assert.deepEqual(launch.nodeArgs, ['--no-warnings', '--import', 'file:///app/tsx.mjs'])
})

it('a NODE_OPTIONS that held nothing but an inspector is gone', () => {
  const { launch } = settings({ env: { NODE_OPTIONS: '--inspect', A: '1' } })
  assert.deepEqual([launch.env, launch.inspectPort], [{ A: '1' }, 9230])
})
