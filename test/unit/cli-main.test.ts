import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { main } from '../../src/cli/main.ts'
import { EverycoreError, ERROR_CODES } from '../../src/base/errors.ts'
import { EXIT } from '../../src/base/exit-codes.ts'
import type { Settings } from '../../src/config/types.ts'
import { fakeHost } from './config-host.ts'

interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly started: Settings | undefined
}

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly isTTY?: boolean
  readonly start?: () => Promise<number>
}

async function everycore(argv: readonly string[], { env = {}, isTTY = false, start = async () => 0 }: Surroundings = {}): Promise<Run> {
  const written = { out: '', err: '' }
  let started: Settings | undefined
  const code = await main(
    argv,
    env,
    {
      stdout: { isTTY, write: (text) => (written.out += text) },
      stderr: { isTTY, write: (text) => (written.err += text) },
    },
    {
      cwd: () => '/app',
      host: () => fakeHost({ '/app/server.js': '', '/app/9229.js': '', '/app/-odd.js': '' }),
      runStart: async (settings) => {
        started = settings
        return start()
      },
      runDetached: async (settings) => {
        started = settings
        return 77
      },
    },
  )
  return { code, ...written, started }
}

describe('what follows the script', () => {
  for (const argv of [
    ['server.js', '-w', '9', '--help'],
    ['server.js', '--', '-w', '9', '--'],
    ['server.js', '--version', '-V', '-h', '--inspect', 'x', '--unknown=1', '-', '', '-1'],
    ['server.js', 'start', 'help', '--log-format', 'json'],
  ]) {
    it(`belongs to the app unchanged: ${argv.join(' ')}`, async () => {
      for (const before of [[], ['start'], ['-w', '2', '--quiet'], ['start', '--workers=2', '-q'], ['--inspect'], ['--'], ['start', '-w', '2', '--']]) {
        const { code, err, started } = await everycore([...before, ...argv])
        assert.deepEqual([code, err], [0, ''], before.join(' '))
        assert.deepEqual([started?.launch.script, started?.launch.args], ['/app/server.js', argv.slice(1)], before.join(' '))
      }
    })
  }
})

describe('options', () => {
  for (const [argv, read, value] of [
    [['-w', '-1'], (s: Settings) => s.sizing.size, 7],
    [['-w2'], (s: Settings) => s.sizing.size, 2],
    [['-w', '2', '--workers=3'], (s: Settings) => s.sizing.size, 3],
    [['-p', '3000', '-n', 'shop'], (s: Settings) => [s.launch.env['PORT'], s.name], ['3000', 'shop']],
    [['--node-args', '--import ./a.mjs'], (s: Settings) => s.launch.nodeArgs, ['--import', './a.mjs']],
    [['--node-args=--trace-gc', '--node-args', '--no-warnings'], (s: Settings) => s.launch.nodeArgs, ['--trace-gc', '--no-warnings']],
    [['--wait-ready', '--kill-signal', 'INT'], (s: Settings) => [s.waitReady, s.killSignal], [true, 'SIGINT']],
    [['-q'], (s: Settings) => s.verbosity, 'quiet'],
    [['-q', '-v'], (s: Settings) => s.verbosity, 'verbose'],
    [['--color'], (s: Settings) => s.color, true],
    [['--color', '--no-color'], (s: Settings) => s.color, false],
    [['--inspect'], (s: Settings) => s.launch.inspectPort, 9229],
    [['--inspect=9300'], (s: Settings) => s.launch.inspectPort, 9300],
    [['--inspect', '9300'], (s: Settings) => s.launch.inspectPort, 9300],
    [['--inspect', '-q'], (s: Settings) => s.launch.inspectPort, 9229],
  ] as const satisfies readonly (readonly [readonly string[], (settings: Settings) => unknown, unknown])[]) {
    it(`${argv.join(' ')} before the script is ours`, async () => {
      const { started, err } = await everycore([...argv, 'server.js'])
      assert.equal(err, '')
      assert.ok(started)
      assert.deepEqual(read(started), value)
    })
  }

  it('may stand alone: the script is found', async () => {
    for (const argv of [[], ['start'], ['-w', '2'], ['start', '-w', '2']]) assert.equal((await everycore(argv)).started?.launch.script, '/app/server.js')
  })
})

describe('help and version', () => {
  it('go to stdout with exit code 0, and start nothing', async () => {
    for (const argv of [['--help'], ['-h'], ['help'], ['help', 'start'], ['start', '--help'], ['-w', '2', '-h'], ['help', '--help']]) {
      const { code, out, err, started } = await everycore(argv)
      assert.deepEqual([code, err, started], [0, '', undefined], argv.join(' '))
      assert.match(out, /^Usage: everycore \[start\] \[options\] <script> \[args\.\.\.\]\n/, argv.join(' '))
    }
    for (const argv of [['--version'], ['-V'], ['start', '--version'], ['-q', '--version']]) assert.deepEqual((await everycore(argv)).out, 'everycore 0.0.0-dev\n')
  })

  it('has a page of all exit codes and error codes', async () => {
    const { code, out } = await everycore(['help', 'exit-codes'])
    assert.equal(code, 0)
    for (const exit of Object.values(EXIT)) assert.match(out, new RegExp(`^  ${exit} +\\S`, 'm'))
    for (const error of Object.keys(ERROR_CODES)) assert.ok(out.includes(error), error)
    assert.deepEqual(out.split('\n').filter((line) => line.length > 80), [])
  })

  it('refuses an unknown topic and names the nearest', async () => {
    assert.deepEqual(await everycore(['help', 'exitcodes']), { code: 2, out: '', err: 'everycore: there is no help about exitcodes\n  Did you mean everycore help exit-codes?\n', started: undefined })
  })
})

describe('mistakes', () => {
  for (const [argv, code, err] of [
    [['--workres', '2', 'server.js'], 2, "everycore: unknown option '--workres'\n  Did you mean --workers?\n"],
    [['--zzzzzzz', 'server.js'], 2, "everycore: unknown option '--zzzzzzz'\n  everycore --help lists the options. Those of the app stand after the script.\n"],
    [['--max-old-space-size=512', 'server.js'], 2, 'everycore: unknown option \'--max-old-space-size=512\'\n  That is an option of node: --node-args "--max-old-space-size=512".\n'],
    [['-w'], 2, "everycore: option '-w, --workers <n|auto|max|50%|-1>' argument missing\n  everycore --help lists commands and options.\n"],
    [['-w', '0', 'server.js'], 2, 'everycore: --workers (flag): "0" is not a number of workers: use auto, max, 1 to 1024, a percentage such as 50%, or -1 for one less than auto\n'],
    [['sever.js'], 4, 'everycore: cannot find sever.js\n  There is no /app/sever.js.\n  Did you mean server.js?\n'],
    [['stat'], 4, 'everycore: cannot find stat\n  There is no /app/stat.\n  If a command was meant: everycore start. Check the path and the directory (--cwd).\n'],
  ] as const) {
    it(`${argv.join(' ')} ends with ${code} and says what to do`, async () => assert.deepEqual(await everycore(argv), { code, out: '', err, started: undefined }))
  }

  it('are one JSON line when the log format is json, by flag or variable', async () => {
    for (const [argv, env] of [
      [['--log-format', 'json', 'sever.js'], {}],
      [['start', '-q', '--log-format=json', 'sever.js'], {}],
      [['sever.js'], { EVERYCORE_LOG_FORMAT: 'json' }],
    ] as const) {
      const { code, err } = await everycore(argv, { env })
      assert.equal(code, 4)
      assert.match(err, /^\{.*\}\n$/)
      const { level, msg, code: errorCode, why, hint } = JSON.parse(err)
      assert.deepEqual({ level, msg, errorCode, why, hint }, { level: 60, msg: 'cannot find sever.js', errorCode: 'ERR_EVERYCORE_SCRIPT', why: 'There is no /app/sever.js.', hint: 'Did you mean server.js?' })
    }
  })

  it('are text when only the app asks for json', async () => assert.match((await everycore(['sever.js', '--log-format', 'json'])).err, /^everycore: /))

  it('are red on a terminal, unless colours are off', async () => {
    assert.match((await everycore(['x.js'], { isTTY: true })).err, /^\u001B\[31meverycore:\u001B\[39m /)
    assert.match((await everycore(['--no-color', 'x.js'], { isTTY: true })).err, /^everycore: /)
    assert.match((await everycore(['x.js'], { isTTY: true, env: { NO_COLOR: '1' } })).err, /^everycore: /)
  })

  it('cannot steer the terminal', async () => {
    const { err } = await everycore(['\u001B]0;pwned\u0007.js'])
    assert.ok(err.includes(String.raw`\x1b]0;pwned\x07`))
    assert.doesNotMatch(err, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/)
  })
})

describe('the end of a run', () => {
  it('gives its exit code', async () => assert.equal((await everycore(['server.js'], { start: async () => 130 })).code, 130))

  it('gives the exit code of an error of ours, without a stack', async () => {
    const { code, err } = await everycore(['server.js'], { start: () => Promise.reject(new EverycoreError('ERR_EVERYCORE_NEVER_READY', 'No worker became ready', { hint: 'Look above.' })) })
    assert.deepEqual([code, err], [3, 'everycore: No worker became ready\n  Look above.\n'])
  })

  it('tells a defect with its stack and exit code 1', async () => {
    const { code, err } = await everycore(['server.js'], { start: () => Promise.reject(new TypeError('boom')) })
    assert.equal(code, 1)
    assert.match(err, /^everycore: internal error: boom\n {2}This is a defect of everycore\..*\nTypeError: boom\n {4}at /)
  })
})
