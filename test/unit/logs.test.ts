import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createLogs, type Logs, type LogsOptions } from '../../src/logs/logs.ts'
import { randomFrom } from './logs-random.ts'

/** A stream that remembers what it was given. */
class Paper extends Writable {
  readonly chunks: Buffer[] = []

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk)
    done()
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }

  get lines(): string[] {
    return this.bytes.toString().split('\n').slice(0, -1)
  }
}

async function room(options: Partial<LogsOptions> = {}): Promise<{ logs: Logs; out: Paper; err: Paper }> {
  const [out, err] = [new Paper(), new Paper()]
  const logs = await createLogs({
    format: 'raw',
    color: false,
    name: 'app',
    size: 2,
    stdout: out,
    stderr: err,
    verbosity: 'normal',
    now: () => 1000,
    ...options,
  })
  return { logs, out, err }
}

const worker = (slot: number) => ({ slot, pid: 100 + slot, generation: 1 })

describe('the output of a worker', () => {
  it('is byte for byte the same in raw, for any bytes and any line length', async () => {
    const { random, int, note } = randomFrom('raw')
    const { logs, out, err } = await room()
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const output = logs.attachWorker(worker(0), stdout, stderr)
    const sent: Buffer[] = []
    for (let round = 0; round < 200; round++) {
      const chunk = Buffer.from(Array.from({ length: int(random() < 0.1 ? 40_000 : 100) }, () => int(256)))
      if (round % 20 === 0) chunk.fill(120)
      sent.push(chunk, Buffer.alloc(round % 20 === 0 ? 70_000 : 0, 'y'))
      stdout.write(Buffer.concat(sent.slice(-2)))
      await turn()
    }
    stdout.end('no newline at the end')
    stderr.end('bad\n')
    await output.ended
    await logs.flush(1000)
    assert.ok(out.bytes.equals(Buffer.concat([...sent, Buffer.from('no newline at the end')])), note)
    assert.equal(err.bytes.toString(), 'bad\n')
  })

  it('never mixes the lines of two workers', async () => {
    const { logs, out } = await room({ stderr: new PassThrough() })
    const [one, two] = [new PassThrough(), new PassThrough()]
    const outputs = [logs.attachWorker(worker(0), one, null), logs.attachWorker(worker(1), two, null)]
    for (const piece of ['aa', 'a\naa', 'a\n', 'aa']) {
      one.write(piece)
      two.write(piece.replaceAll('a', 'b'))
      await turn()
    }
    one.end()
    two.end()
    await Promise.all(outputs.map(async (output) => output.ended))
    await logs.flush(1000)
    assert.deepEqual(out.bytes.toString().split('\n').sort(), ['aa', 'aaa', 'aaa', 'bb', 'bbb', 'bbb'])
  })

  it('ends with the last words of a crash, an unfinished line included', async () => {
    const { logs, err } = await room()
    const script = 'process.stdout.write("x".repeat(300000) + "\\n"); process.stderr.write("FATAL: no"); process.abort()'
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] })
    const output = logs.attachWorker(worker(0), child.stdout, child.stderr)
    await output.ended
    await logs.flush(1000)
    assert.match(output.tail().find((line) => line.stream === 'stderr')?.text ?? '', /^FATAL: no/u)
    assert.match(err.bytes.toString(), /^FATAL: no/u)
  })

  it('ends when it is destroyed although a grandchild holds the streams, and keeps what came', async () => {
    const { logs, out } = await room()
    const child = spawn('sh', ['-c', 'sleep 1000 & echo $!; printf half; kill -9 $$'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const output = logs.attachWorker(worker(0), child.stdout, child.stderr)
    await Promise.all([once(child, 'exit'), once(child.stdout, 'data')])
    while (!output.tail().length) await turn()
    output.destroy()
    await output.ended
    process.kill(Number(output.tail()[0]?.text), 'SIGKILL')
    await logs.flush(1000)
    assert.match(out.bytes.toString(), /^\d+\n(?:half)?$/u)
  })

  it('ends at once where there are no streams, or closed ones', async () => {
    const { logs } = await room()
    const closed = new PassThrough()
    closed.destroy()
    await once(closed, 'close')
    await logs.attachWorker(worker(0), null, closed).ended
  })

  it('ends when reading fails', async () => {
    const { logs, out } = await room()
    const stdout = new PassThrough()
    const output = logs.attachWorker(worker(0), stdout, null)
    stdout.write('half')
    await turn()
    stdout.destroy(new Error('read failed'))
    await output.ended
    await logs.flush(1000)
    assert.equal(out.bytes.toString(), 'half')
  })
})

describe('the order of lines', () => {
  it('is kept between stdout and stderr that lead to the same place', async () => {
    const both = new Paper()
    const { logs } = await room({ format: 'pretty', stdout: both, stderr: both })
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    logs.attachWorker(worker(0), stdout, stderr)
    // The streams flow from the next turn on; then everything happens within one.
    await turn()
    for (const word of ['a', 'b', 'c']) {
      stdout.write(`${word}\n`)
      logs.logger.info(word)
      stderr.write(`${word}\n`)
    }
    await logs.flush(1000)
    const seen = both.lines.map((line) => `${line.slice(0, 1)} ${line.slice(10)}`)
    assert.deepEqual(seen, ['a', 'b', 'c'].flatMap((word) => [`0 │ ${word}`, `e │ ${word}`, `0 ┃ ${word}`]))
    assert.equal(logs.stats().writtenLines, 9)
  })
})

describe('the supervisor log', () => {
  for (const [verbosity, expected] of [
    ['quiet', ['e', 'w']],
    ['normal', ['e', 'w', 'i']],
    ['verbose', ['e', 'w', 'i', 'd']],
  ] as const) {
    it(`tells ${expected.length} of 4 levels when ${verbosity}`, async () => {
      const { logs, out, err } = await room({ verbosity })
      const { logger } = logs
      logger.error('e')
      logger.warn('w')
      logger.info('i')
      logger.debug('d')
      await logs.flush(1000)
      assert.deepEqual(err.lines, expected.map((line) => `everycore: ${line}`))
      assert.equal(out.chunks.length, 0)
      assert.equal(logger.enabled('debug'), verbosity === 'verbose')
    })
  }

  it('shares stdout with the workers in json, every line an object', async () => {
    const { logs, out, err } = await room({ format: 'json' })
    const stderr = new PassThrough()
    const output = logs.attachWorker(worker(1), null, stderr)
    stderr.end('{"level":40,"msg":"forged","slot":0,"event":"worker:exited"}\n')
    await output.ended
    logs.logger.info('ready', { slot: 1 })
    await logs.flush(1000)
    const records = out.lines.map((line): Record<string, unknown> => JSON.parse(line))
    assert.deepEqual(records.map(({ level, msg, slot, stream, event }) => ({ level, msg, slot, stream, event })), [
      { level: 40, msg: 'forged', slot: 1, stream: 'stderr', event: undefined },
      { level: 30, msg: 'ready', slot: 1, stream: undefined, event: undefined },
    ])
    assert.equal(err.chunks.length, 0)
  })
})

describe('when the reader', () => {
  it('stalls on a real pipe, memory stays bounded, and one line tells the loss when it reads again', async () => {
    const reader = spawn('sh', ['-c', 'kill -STOP $$; exec wc -l'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const { logs, err } = await room({ stdout: reader.stdin, maxBufferedBytes: 1_000_000 })
    const stdout = new PassThrough()
    const output = logs.attachWorker(worker(1), stdout, null)
    const chunk = Buffer.from(`${'x'.repeat(99)}\n`.repeat(100))
    for (let sent = 0; sent < 1000; sent++) {
      stdout.write(chunk)
      if (sent % 10 === 0) await turn()
      assert.ok(logs.stats().queuedBytes <= 1_000_000)
    }
    stdout.end()
    await output.ended
    const dropped = logs.stats().droppedLines
    assert.ok(dropped > 80_000, String(dropped))
    reader.kill('SIGCONT')
    await logs.flush(10_000)
    await logs.flush(1000)
    assert.deepEqual(err.lines, [`everycore: ${dropped} lines dropped (reader too slow)`])
    assert.deepEqual(logs.stats().droppedBySlot, { 1: dropped })
    reader.stdin.end()
    const [count]: unknown[] = await once(reader.stdout, 'data')
    assert.equal(Number(String(count)) + dropped, 100_000)
  })

  it('is gone, the supervisor says so on the other stream and goes on', async () => {
    const reader = spawn('true', { stdio: ['pipe', 'ignore', 'ignore'] })
    const { logs, err } = await room({ stdout: reader.stdin })
    await once(reader, 'exit')
    const stdout = new PassThrough()
    logs.attachWorker(worker(0), stdout, null)
    while (logs.stats().sinks.stdout.state !== 'closed') {
      stdout.write('a\n')
      await turn()
    }
    stdout.write('b\n')
    await turn()
    await logs.flush(1000)
    const { droppedLines, writtenLines, queuedBytes } = logs.stats()
    assert.ok(droppedLines >= 1 && queuedBytes === 0 && writtenLines >= 1)
    assert.match(err.lines.join('|'), /^everycore: stdout is closed \(\w+\): its lines are dropped from now on$/u)
  })
})
