/** `top` with a terminal and a supervisor that are none. */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import type { ReadStream, WriteStream } from 'node:tty'
import { runTop, type TopEnd, type TopPorts } from '../../src/top/run.ts'
import { entry, report, worker } from './top-fixtures.ts'

const ENTER = '\u001B[?1049h'
const LEAVE = '\u001B[?25h\u001B[?1049l'

class Terminal extends EventEmitter {
  readonly isTTY = true
  columns = 80
  rows = 24
  text = ''
  readonly stdin = Object.assign(new PassThrough(), { isRaw: false, setRawMode: (isRaw: boolean) => void (this.stdin.isRaw = isRaw) })

  write(text: string): boolean {
    this.text += text
    this.emit('written')
    return true
  }

  async shows(pattern: RegExp): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop
    while (!pattern.test(this.text)) await once(this, 'written')
  }

  resize(columns: number, rows: number): void {
    Object.assign(this, { columns, rows })
    this.emit('resize')
  }
}

interface Run {
  readonly terminal: Terminal
  readonly end: Promise<TopEnd>
  readonly press: (keys: string) => void
}

const untilAborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort')
}

function start(given: Partial<TopPorts> = {}, patienceMs = 30_000): Run {
  const terminal = new Terminal()
  const ports: TopPorts = {
    status: async () => report(),
    events: async (_, signal) => untilAborted(signal),
    logs: async (_, signal) => untilAborted(signal),
    reload: async () => ({ schemaVersion: 1, generation: 4, tookMs: 1500, failedRequests: 0 }),
    scale: async () => ({ schemaVersion: 1, from: 4, size: 5 }),
    ...given,
  }
  const end = runTop(ports, { stdin: terminal.stdin as unknown as ReadStream, stdout: terminal as unknown as WriteStream, report: report(), color: false, unicode: true, patienceMs })
  return { terminal, end, press: (keys) => void terminal.stdin.write(keys) }
}

/** The terminal is as it was, and nobody listens any more. */
function assertRestored({ terminal }: Run): void {
  assert.ok(terminal.text.includes(ENTER))
  assert.ok(terminal.text.endsWith(LEAVE))
  assert.equal(terminal.stdin.isRaw, false)
  for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGTSTP', 'SIGCONT', 'uncaughtExceptionMonitor']) assert.equal(process.listenerCount(event), 0, event)
  assert.equal(terminal.listenerCount('resize'), 0)
}

describe('a run of top', () => {
  it('draws, and leaves by q', async () => {
    const run = start()
    await run.terminal.shows(/all 4 workers are ready/)
    assert.equal(run.terminal.stdin.isRaw, true)
    run.press('q')
    assert.deepEqual(await run.end, { why: 'quit' })
    assertRestored(run)
  })
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
    it(`leaves by ${signal}`, async () => {
      const run = start()
      await run.terminal.shows(/workers are ready/)
      process.emit(signal)
      assert.deepEqual(await run.end, { why: 'signal', signal })
      assertRestored(run)
    })
  }
  it('gives the terminal back before an error is printed', async () => {
    const run = start()
    await run.terminal.shows(/workers are ready/)
    const node: EventEmitter = process
    node.emit('uncaughtExceptionMonitor', new Error('x'), 'uncaughtException')
    assert.ok(run.terminal.text.endsWith(LEAVE))
    run.press('q')
    await run.end
    assertRestored(run)
  })
  it('leaves when the terminal is gone', async () => {
    const run = start()
    await run.terminal.shows(/workers are ready/)
    run.terminal.emit('error', new Error('EIO'))
    assert.deepEqual(await run.end, { why: 'quit' })
  })
  it('says that nobody answers, goes on when somebody does, and ends when it takes too long', async () => {
    let isThere = true
    const run = start({ status: async () => (isThere ? report() : Promise.reject(new Error('nobody listens'))) }, 500)
    await run.terminal.shows(/workers are ready/)
    isThere = false
    await run.terminal.shows(/NO ANSWER/)
    isThere = true
    await run.terminal.shows(/the supervisor answers again/)
    isThere = false
    assert.deepEqual(await run.end, { why: 'gone', said: 'nobody listens' })
    assertRestored(run)
  })
  it('asks anew for streams that end', async () => {
    let asked = 0
    const run = start({ events: async (_, signal) => (++asked < 3 ? Promise.reject(new Error('cut')) : untilAborted(signal)) })
    run.terminal.on('written', () => asked === 3 && run.press('q'))
    await Promise.race([run.end, run.terminal.shows(/never/)])
    assert.equal(asked, 3)
  })
  it('reloads and scales, and tells what became of it', async () => {
    const asked: string[] = []
    const run = start({
      reload: async () => {
        asked.push('reload')
        throw Object.assign(new Error('the reload was aborted'), { why: 'worker 0 threw' })
      },
      scale: async (size) => {
        asked.push(size)
        return { schemaVersion: 1, from: 4, size: 5 }
      },
    })
    await run.terminal.shows(/workers are ready/)
    run.press('rn')
    run.press('+')
    await run.terminal.shows(/scaled from 4 to 5 workers/)
    run.press('ry')
    await run.terminal.shows(/the reload was aborted: worker 0 threw/)
    assert.deepEqual(asked, ['+1', 'reload'])
    run.press('\u0003')
    await run.end
  })
  it('draws all anew in another size', async () => {
    const run = start()
    await run.terminal.shows(/workers are ready/)
    run.terminal.text = ''
    run.terminal.resize(200, 50)
    await run.terminal.shows(/LAST EXIT/)
    run.terminal.resize(0, 0)
    run.press('q')
    await run.end
  })
  it('writes nothing while nothing changes, and only what has changed', async () => {
    let requestsPerSecond = 1250
    const run = start({ status: async () => report({ workers: [0, 1, 2, 3].map((slot) => worker({ slot, requestsPerSecond: slot === 2 ? requestsPerSecond : 0 })) }) })
    await run.terminal.shows(/r reload.* 1\.3k /s)
    run.terminal.text = ''
    requestsPerSecond = 7
    await run.terminal.shows(/ 7 /)
    assert.doesNotMatch(run.terminal.text, /port 3000|r reload|EVENTS|LOGS/)
    run.press('q')
    await run.end
  })
  it('reads no more lines than it can show in time', async () => {
    let held = 0
    const run = start({
      logs: async ({ line }, signal) => {
        for (let count = 0; !signal.aborted; count += 1) {
          const taken = line(entry({ text: `line ${count}` }))
          if (taken === undefined) continue
          held = count
          // oxlint-disable-next-line no-await-in-loop
          await Promise.race([taken, untilAborted(signal)])
        }
      },
    })
    await run.terminal.shows(/line 1999/)
    run.press('q')
    await run.end
    assert.ok(held >= 1999)
  })
})
