/** Log files of the command, and `everycore logs`. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { CLI, fixture, freePort } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { until } from '../harness/until.ts'

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Running {
  readonly child: ChildProcess
  readonly directory: string
  readonly log: () => string
  /** Pid of the process that has taken over, by the log. */
  readonly successor: () => number
  readonly say: (text: string) => Promise<unknown>
  readonly ended: Promise<Ran>
  /** Runs `everycore logs` to its end. */
  readonly logs: (...args: string[]) => Promise<Ran>
  /** Starts `everycore logs`. */
  readonly follow: (...args: string[]) => { readonly child: ChildProcess; readonly output: () => string; readonly ended: Promise<Ran> }
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): { readonly child: ChildProcess; readonly output: () => string; readonly ended: Promise<Ran> } {
  const child = spawn(process.execPath, [CLI, ...args], { env: { ...process.env, NO_COLOR: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
  return { child, output: () => stdout, ended }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGQUIT')
  } catch {
    // It has ended.
  }
}

async function start(t: TestContext, ...options: string[]): Promise<Running> {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-logs-'))
  const port = await freePort()
  const runtime = join(directory, 'run')
  mkdirSync(runtime, { mode: 0o700 })
  const own = ['--runtime-dir', runtime]
  const { child, ended } = run(['-w', '1', '-n', 'shop', ...own, '--log-file', join(directory, 'app.log'), ...options, fixture('logs.cjs')], { PORT: String(port) })
  const followers: ChildProcess[] = []
  const log = (): string => readFileSync(join(directory, 'app.log'), 'utf8')
  const successor = (): number => Number(/process (\d+) has taken over/.exec(log())?.[1] ?? 0)
  t.after(async () => {
    for (const follower of followers) follower.kill('SIGKILL')
    if (child.exitCode === null) child.kill('SIGQUIT')
    else if (successor() !== 0) killIfAlive(successor())
    await ended
    rmSync(directory, { recursive: true, force: true })
  })
  const say = async (text: string): Promise<unknown> => get({ port }, `/${encodeURIComponent(text)}`)
  await until('it serves', async () => say('hello').then(() => true, () => false))
  return {
    child,
    directory,
    ended,
    say,
    log,
    successor,
    logs: async (...args) => run(['logs', ...own, ...args]).ended,
    follow(...args) {
      const follower = run(['logs', '-f', ...own, ...args])
      followers.push(follower.child)
      return follower
    },
  }
}

describe('a log file', () => {
  it('gets all output, is opened anew on SIGUSR1 without opening the inspector, and nothing goes to stdout', async (t) => {
    const app = await start(t)
    await app.say('one')
    await until('it is written', () => app.log().includes('one\n'))
    renameSync(join(app.directory, 'app.log'), join(app.directory, 'moved.log'))
    app.child.kill('SIGUSR1')
    await until('it is there again', () => existsSync(join(app.directory, 'app.log')))
    await app.say('two')
    await until('it is written anew', () => app.log().includes('two\n'))
    app.child.kill('SIGTERM')
    const { code, stdout, stderr } = await app.ended
    assert.deepEqual([code, stdout, stderr], [0, '', ''])
    assert.doesNotMatch(app.log(), /one|Debugger/)
    assert.match(readFileSync(join(app.directory, 'moved.log'), 'utf8'), /^everycore: listening[^]*\none\n/m)
  })

  it('that cannot be opened is a wrong setting: what, why, what to do', async () => {
    const { code, stderr } = await run(['--log-file', join(tmpdir(), 'no/such/directory/app.log'), fixture('logs.cjs')], { PORT: '0' }).ended
    assert.equal(code, 2)
    assert.match(stderr, /cannot be opened[^]*does not exist[^]*make the directory/)
    assert.doesNotMatch(stderr, / {4}at /)
  })

  it('does not hide from stderr why a run has failed', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'everycore-logs-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const { code, stderr } = await run(['-w', '1', '--log-file', join(directory, 'app.log'), fixture('throws.cjs')], { PORT: '0' }).ended
    assert.notEqual(code, 0)
    assert.match(stderr, /^everycore: .+/)
    assert.ok(readFileSync(join(directory, 'app.log'), 'utf8').length > stderr.length)
  })
})

describe('everycore logs', () => {
  it('tells the newest lines: so many, of a worker, of a level, that match, since a time, as text or JSON', async (t) => {
    const app = await start(t)
    for (const text of ['{"level":40,"msg":"slow"}', 'text 1', '!oops', 'text 2']) await app.say(text)
    const all = await app.logs()
    assert.equal(all.code, 0)
    assert.match(all.stdout, /^everycore: listening/m)
    assert.match(all.stdout, /\{"level":40,"msg":"slow"\}\ntext 1\n[^]*text 2\n/)
    const [last, worker, level, grep, since, json] = await Promise.all([
      app.logs('-n', '1', '--worker', '0', '--grep', '^text'),
      app.logs('shop', '--worker', '7'),
      app.logs('--level', 'warn', '--worker', '0'),
      app.logs('--grep', 'text [12]', '--name', 'shop'),
      app.logs('--since', '2099-01-01'),
      app.logs('--json', '--level', 'warn', '--worker', '0'),
    ])
    assert.deepEqual([last.stdout, worker.stdout, grep.stdout, since.stdout], ['text 2\n', '', 'text 1\ntext 2\n', ''])
    assert.deepEqual(level.stdout.split('\n').sort(), ['', 'oops', '{"level":40,"msg":"slow"}'])
    const records = json.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
    const slow = records.find((record) => record['level'] === 'warn')
    assert.deepEqual({ ...slow, at: '', pid: 0 }, { schemaVersion: 1, at: '', slot: 0, pid: 0, stream: 'stdout', level: 'warn', text: '{"level":40,"msg":"slow"}' })
  })

  for (const [name, args, pattern] of [
    ['a bad regular expression', ['--grep', '('], /--grep: "\(" is not a regular expression/],
    ['a bad time', ['--since', '10'], /--since: "10" is not a time/],
    ['an unknown level', ['--level', 'warnn'], /Did you mean warn/],
    ['a bad slot', ['--worker', 'x'], /--worker: "x" is not a number/],
    ['a bad number', ['-n', '-1'], /./],
  ] as const) {
    it(`says what is wrong with ${name}`, async () => {
      const { code, stderr } = await run(['logs', ...args]).ended
      assert.equal(code, 2)
      assert.match(stderr, pattern)
      assert.doesNotMatch(stderr, / {4}at /)
    })
  }

  it('-f goes on with what comes, through an upgrade of the supervisor, and ends with a word when the app has ended', async (t) => {
    const app = await start(t)
    const follower = app.follow('-n', '0')
    await until('it follows', async () => {
      await app.say('again')
      return follower.output().includes('again')
    })
    // Its stdout stays open: the successor has it, too.
    const exited = once(app.child, 'exit')
    app.child.kill('SIGURG')
    await exited
    await until('it follows the successor', async () => {
      await app.say('from the new one').catch(() => {})
      return follower.output().includes('from the new one\n')
    })
    const { stdout } = await app.logs('--json', '-n', '1')
    assert.ok(stdout.includes('from the new one'))
    process.kill(app.successor(), 'SIGTERM')
    const { code, stderr } = await follower.ended
    assert.deepEqual([code, stderr], [0, 'everycore: shop has ended\n'])
  })

  it('-f whose reader has gone ends', async (t) => {
    const app = await start(t)
    const follower = app.follow()
    await until('it has begun', () => follower.output() !== '')
    follower.child.stdout?.destroy()
    await app.say('one more')
    await app.say('and one')
    assert.equal((await follower.ended).code, 0)
  })
})
