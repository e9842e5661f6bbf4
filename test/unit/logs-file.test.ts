import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { PassThrough, Writable } from 'node:stream'
import { FileOutlet, type FileOutletOptions, type FileTrouble, type Rotation } from '../../src/logs/file-outlet.ts'
import { createLogs, type Logs } from '../../src/logs/logs.ts'
import type { WriteFailure } from '../../src/logs/outlet.ts'
import { randomFrom } from './logs-random.ts'

const NEVER: Rotation = { maxBytes: 0, everyMs: 0, files: 5, maxAgeMs: 0 }

let directory: string
let path: string
const opened: FileOutlet[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'everycore-log-'))
  path = join(directory, 'app.log')
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map(async (one) => one.close()))
  rmSync(directory, { recursive: true, force: true })
})

async function outlet(options: Partial<FileOutletOptions> = {}): Promise<FileOutlet & { troubles: FileTrouble[] }> {
  const troubles: FileTrouble[] = []
  const made = await FileOutlet.open({ path, rotation: NEVER, now: Date.now, onTrouble: (trouble) => troubles.push(trouble), ...options })
  opened.push(made)
  return Object.assign(made, { troubles })
}

const write = async (to: FileOutlet, text: string): Promise<WriteFailure | undefined> => new Promise((resolve) => to.write(Buffer.from(text), resolve))
const read = (name = 'app.log'): string => readFileSync(join(directory, name), 'utf8')

describe('a log file', () => {
  it('is appended to, and only its owner and group may read it', async () => {
    writeFileSync(path, 'before\n', { mode: 0o600 })
    await write(await outlet(), 'after\n')
    assert.equal(read(), 'before\nafter\n')
    const fresh = join(directory, 'new', 'app.log')
    await outlet({ path: fresh })
    assert.deepEqual([statSync(fresh).mode & 0o037, statSync(join(directory, 'new')).mode & 0o027], [0, 0])
  })

  it('is refused where it is a symbolic link, and what that leads to stays untouched', async () => {
    writeFileSync(join(directory, 'target'), 'precious')
    symlinkSync(join(directory, 'target'), path)
    await assert.rejects(outlet(), { code: 'ELOOP' })
    assert.equal(read('target'), 'precious')
  })

  it('is refused where it is a directory, and where a directory above its own is missing', async () => {
    await assert.rejects(outlet({ path: directory }), { code: 'EISDIR' })
    await assert.rejects(outlet({ path: join(directory, 'no', 'such', 'app.log') }), { code: 'ENOENT' })
  })

  it('may be a device, which is never rotated', async () => {
    const none = await outlet({ path: '/dev/null', rotation: { ...NEVER, maxBytes: 1 } })
    assert.equal(await write(none, 'a\n'), undefined)
    assert.equal(await write(none, 'b\n'), undefined)
  })
})

describe('rotation', () => {
  it('by size keeps so many older files, the newest first, and tears no line', async () => {
    const log = await outlet({ rotation: { ...NEVER, maxBytes: 10, files: 2 } })
    for (const text of ['1111\n', '22', '22\n', '3333\n', '4444\n', '555555555\n', '6\n', '7\n']) assert.equal(await write(log, text), undefined)
    assert.deepEqual(readdirSync(directory).sort(), ['app.log', 'app.log.1', 'app.log.2'])
    assert.deepEqual([read('app.log.2'), read('app.log.1'), read()], ['3333\n4444\n', '555555555\n', '6\n7\n'])
  })

  it('waits for the end of a line, but not for ever', async () => {
    const log = await outlet({ rotation: { ...NEVER, maxBytes: 4 } })
    for (let count = 0; count < 12; count++) await write(log, 'x')
    assert.deepEqual([read('app.log.1'), read()], ['xxxxxxxx', 'xxxx'])
  })

  it('by age begins a new file with the first line after midnight, whatever the size', async () => {
    let now = new Date(2026, 0, 5, 23, 59, 59).getTime()
    const log = await outlet({ rotation: { ...NEVER, everyMs: 86_400_000 }, now: () => now })
    await write(log, 'monday\n')
    await write(log, 'monday\n')
    now += 2000
    await write(log, 'tuesday\n')
    await write(log, 'tuesday\n')
    assert.deepEqual([read('app.log.1'), read()], ['monday\nmonday\n', 'tuesday\ntuesday\n'])
    now -= 86_400_000
    await write(log, 'clock set back\n')
    assert.equal(existsSync(join(directory, 'app.log.2')), false)
  })

  it('removes what is too old, and nothing that it has not made', async () => {
    for (const name of ['app.log.1', 'app.log.2', 'app.log.2024', 'app.log.old', 'other.log.1']) {
      writeFileSync(join(directory, name), name)
      utimesSync(join(directory, name), 1, name === 'app.log.1' ? Date.now() / 1000 : 1)
    }
    await write(await outlet({ rotation: { ...NEVER, maxAgeMs: 1000 } }), 'x\n')
    assert.deepEqual(readdirSync(directory).sort(), ['app.log', 'app.log.1', 'app.log.2024', 'app.log.old', 'other.log.1'])
  })

  it('of an empty file does not happen, and with nothing to keep removes the file', async () => {
    const log = await outlet({ rotation: { ...NEVER, maxBytes: 3, files: 0 } })
    for (const text of ['too long\n', '2\n', '3\n']) await write(log, text)
    assert.deepEqual(readdirSync(directory), ['app.log'])
    assert.equal(read(), '3\n')
  })

  it('that is not possible is told once, and no line is lost', async () => {
    mkdirSync(join(directory, 'app.log.1'))
    writeFileSync(join(directory, 'app.log.1', 'x'), '')
    const log = await outlet({ rotation: { ...NEVER, maxBytes: 3, files: 1 } })
    for (const text of ['1\n', '2\n', '3\n', '4\n']) assert.equal(await write(log, text), undefined)
    assert.equal(read(), '1\n2\n3\n4\n')
    assert.deepEqual(log.troubles.map(({ name }) => name), ['not rotated'])
  })

  it('loses no line and doubles none, with any sizes, while another process does the same', async () => {
    const { int, note } = randomFrom('rotation')
    const rotation = { ...NEVER, maxBytes: 5000, files: 100 }
    const logs = [await outlet({ rotation }), await outlet({ rotation })]
    const sent: string[] = []
    for (let number = 0; number < 600; number++) {
      const lines = Array.from({ length: 1 + int(3) }, (_, index) => `${number}.${index} ${'x'.repeat(int(100))}`)
      sent.push(...lines)
      await write(logs[number % 50 < 25 ? 0 : 1] ?? assert.fail(), lines.map((line) => `${line}\n`).join(''))
    }
    const files = readdirSync(directory)
    const found = files.flatMap((name) => read(name).split('\n').slice(0, -1))
    assert.ok(files.length > 5)
    assert.deepEqual(found.sort(), sent.sort(), note)
  })
})

describe('a log file that somebody else handles', () => {
  it('is opened anew when it is told to (logrotate, SIGUSR1)', async () => {
    const log = await outlet()
    await write(log, 'old\n')
    renameSync(path, `${path}.1`)
    log.reopen()
    await write(log, 'new\n')
    assert.deepEqual([read('app.log.1'), read()], ['old\n', 'new\n'])
  })

  it('is opened anew within a second when it was moved or removed, with its directory, without being told', async () => {
    let now = 1e12
    const log = await outlet({ now: () => now })
    await write(log, 'old\n')
    renameSync(path, `${path}.1`)
    await write(log, 'moved\n')
    now += 1000
    await write(log, 'new\n')
    assert.deepEqual([read('app.log.1'), read()], ['old\nmoved\n', 'new\n'])
    rmSync(directory, { recursive: true })
    now += 1000
    assert.equal(await write(log, 'again\n'), undefined)
    assert.equal(read(), 'again\n')
  })

  it('is rotated by its true size after it was cut short (copytruncate)', async () => {
    let now = 1e12
    const log = await outlet({ now: () => now, rotation: { ...NEVER, maxBytes: 10 } })
    await write(log, '12345678\n')
    truncateSync(path)
    now += 1000
    await write(log, '12345678\n')
    assert.deepEqual(readdirSync(directory), ['app.log'])
    assert.equal(read(), '12345678\n')
  })

  it('and that is now a symbolic link is not followed: lines go to the file that was moved, and that is told once', async () => {
    let now = 1e12
    const log = await outlet({ now: () => now })
    writeFileSync(join(directory, 'target'), 'precious')
    renameSync(path, `${path}.1`)
    symlinkSync(join(directory, 'target'), path)
    for (const text of ['a\n', 'b\n', 'c\n']) {
      now += 1000
      assert.equal(await write(log, text), undefined)
    }
    assert.deepEqual([read('target'), read('app.log.1')], ['precious', 'a\nb\nc\n'])
    assert.deepEqual(log.troubles, [{ name: 'not reopened', code: 'ELOOP' }])
    rmSync(path)
    now += 1000
    await write(log, 'd\n')
    assert.equal(read(), 'd\n')
  })

  it('and that is gone with a link in its place is an error, and it is tried again (ELOOP)', async () => {
    let now = 1e12
    const log = await outlet({ now: () => now })
    rmSync(path)
    symlinkSync('/nowhere', path)
    now += 1000
    assert.deepEqual(await write(log, 'lost\n'), { code: 'ELOOP', written: 0, mayPass: true })
    rmSync(path)
    assert.equal(await write(log, 'kept\n'), undefined)
    assert.equal(read(), 'kept\n')
  })
})

/** A stream that remembers what it was given. */
class Paper extends Writable {
  text = ''

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

function remembered(logs: Logs): string[] {
  const follower = logs.ring.follow({ n: 100 }, () => undefined)
  const found: string[] = []
  for (let more = true; more; ) {
    const given = follower.read()
    found.push(...given.records.map(({ text }) => text))
    more = given.more
  }
  follower.stop()
  return found
}

const files = (more: object = {}) => ({ file: path, errorFile: undefined, maxBytes: 0, everyMs: 0, keep: 5, maxAgeMs: 0, ...more })

async function room(options: Partial<Parameters<typeof createLogs>[0]>): Promise<{ logs: Logs; out: Paper; err: Paper; say: (stdout: string, stderr?: string) => Promise<void> }> {
  const [out, err] = [new Paper(), new Paper()]
  const logs = await createLogs({ format: 'raw', color: false, name: 'app', size: 2, stdout: out, stderr: err, verbosity: 'normal', now: Date.now, ...options })
  const say = async (stdout: string, stderr = ''): Promise<void> => {
    const [one, two] = [new PassThrough(), new PassThrough()]
    const output = logs.attachWorker({ slot: 0, pid: 7, generation: 1 }, one, two)
    one.end(stdout)
    two.end(stderr)
    await output.ended
    await logs.flush(5000)
  }
  return { logs, out, err, say }
}

describe('the log room with files', () => {
  it('writes all to the file, what the supervisor says too, and nothing to stdout and stderr', async () => {
    const { logs, out, err, say } = await room({ files: files() })
    logs.logger.info('hello')
    await say('one\n', 'two\n')
    assert.deepEqual(read().split('\n').sort(), ['', 'everycore: hello', 'one', 'two'])
    assert.deepEqual([out.text, err.text], ['', ''])
  })

  it('writes what belongs to stderr to the file for errors, in each format', async () => {
    const errorFile = join(directory, 'error.log')
    for (const format of ['raw', 'json'] as const) {
      const { logs, say } = await room({ format, files: files({ errorFile }) })
      logs.logger.warn(`warned ${format}`)
      await say(`out ${format}\n`, `err ${format}\n`)
      assert.ok(read().includes(`out ${format}`))
      for (const text of ['err', 'warned']) assert.ok(read('error.log').includes(`${text} ${format}`))
      assert.ok(!read().includes(`err ${format}`))
    }
  })

  it('says what cannot be opened, why, and what to do', async () => {
    symlinkSync('/nowhere', path)
    await assert.rejects(room({ files: files() }), { code: 'ERR_EVERYCORE_LOG_FILE', exitCode: 2, message: `the log file ${path} cannot be opened`, why: 'it is a symbolic link' })
  })

  it('on a full disk (ENOSPC) drops lines, counts each of them, tells it on stderr, and remembers them for those who ask', async () => {
    let now = 1e12
    const { logs, err, say } = await room({ files: files({ file: '/dev/full' }), now: () => now })
    await say('1\n2\n3\n')
    await say('4\n')
    assert.match(err.text, /^everycore: \/dev\/full cannot be written \(ENOSPC\): lines are dropped until it can\n$/)
    // The page of the first three waits for its next attempt; the fourth, and the line that tells it, are lost.
    assert.deepEqual([logs.stats().sinks.stdout.state, logs.stats().droppedLines], ['failing', 2])
    assert.deepEqual(remembered(logs).filter((text) => /^\d$/.test(text)), ['1', '2', '3', '4'])
  })

  it('goes on when the file can be written again, and tells how many lines were lost', async () => {
    let now = 1e12
    const { logs, err, say } = await room({ files: files(), now: () => now })
    await say('1\n')
    rmSync(path)
    symlinkSync('/nowhere', path)
    now += 1000
    await say('2\n')
    await say('lost\n')
    assert.equal(logs.stats().sinks.stdout.state, 'failing')
    rmSync(path)
    now += 1000
    await say('3\n')
    await logs.flush(5000)
    assert.equal(read(), `2\n3\neverycore: ${path} can be written again: 2 lines dropped (ELOOP)\n`)
    assert.match(err.text, /cannot be written \(ELOOP\)[^]*can be written again: 2 lines dropped/)
  })

  it('keeps every line of a flood through many rotations', async () => {
    const { say } = await room({ files: files({ maxBytes: 100_000, keep: 100 }) })
    const lines = Array.from({ length: 40_000 }, (_, number) => `line ${number}`)
    for (let at = 0; at < lines.length; at += 2000) await say(`${lines.slice(at, at + 2000).join('\n')}\n`)
    const names = readdirSync(directory).sort((a, b) => (Number(b.slice(8)) || 0) - (Number(a.slice(8)) || 0))
    assert.ok(names.length > 4)
    assert.deepEqual(names.map((name) => read(name)).join('').split('\n').slice(0, -1), lines)
    for (const name of names) assert.ok(statSync(join(directory, name)).size <= 100_000)
  })
})
