import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { createFileOutlet, createOutlet, isFinal, sameTarget, type Outlet, type WriteFailure } from '../../src/logs/outlet.ts'

const write = async (outlet: Outlet, text: string): Promise<WriteFailure | undefined> =>
  new Promise((resolve) => {
    outlet.write(Buffer.from(text), resolve)
  })

/** A stream as `process.stdout` is one when it leads to this file. */
function streamOn(t: TestContext, path: string): Writable & { fd: number } {
  const fd = openSync(path, 'w')
  t.after(() => closeSync(fd))
  return Object.assign(new Writable({ write: () => assert.fail('the stream of a file is not used') }), { fd })
}

function temporaryFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'everycore-logs-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'out')
}

describe('an outlet', () => {
  it('writes to a file at once', async (t) => {
    const path = temporaryFile(t)
    const outlet = createOutlet(streamOn(t, path))
    assert.equal(await write(outlet, 'hello'), undefined)
    assert.equal(readFileSync(path, 'utf8'), 'hello')
  })

  it('goes on after a write that took only a part, and says how much a failed one took', async () => {
    const taken: string[] = []
    let room = 7
    const outlet = createFileOutlet(1, (_fd, bytes) => {
      if (room === 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      const count = Math.min(3, room, bytes.length)
      room -= count
      taken.push(bytes.toString('utf8', 0, count))
      return count
    })
    assert.equal(await write(outlet, 'abcde'), undefined)
    assert.deepEqual(taken, ['abc', 'de'])
    assert.deepEqual(await write(outlet, 'fghij'), { code: 'ENOSPC', written: 2 })
  })

  it('reports a full disk and does not take it for final', { skip: !existsSync('/dev/full') && 'this system has no /dev/full' }, async (t) => {
    const failure = await write(createOutlet(streamOn(t, '/dev/full')), 'x')
    assert.deepEqual(failure, { code: 'ENOSPC', written: 0 })
    assert.equal(isFinal('ENOSPC'), false)
  })

  it('reports a reader that is gone, and no error goes unheard', async () => {
    const reader = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
    const outlet = createOutlet(reader.stdin)
    const closed = new Promise<string>((resolve) => outlet.onClosed(resolve))
    assert.equal(await write(outlet, 'x'), undefined)
    reader.kill('SIGKILL')
    await once(reader, 'exit')
    const failure = await write(outlet, 'y')
    assert.ok(isFinal(failure?.code ?? (await closed)), JSON.stringify(failure))
    assert.ok(isFinal(await closed))
  })

  it('is not closed by the close event that process.stdout emits after every error', () => {
    const stream = new PassThrough()
    const codes: string[] = []
    createOutlet(stream).onClosed((code) => codes.push(code))
    stream.emit('close')
    assert.deepEqual(codes, [])
    stream.destroy()
    stream.emit('close')
    assert.deepEqual(codes, ['ERR_STREAM_DESTROYED'])
  })

  it('switches a terminal to non-blocking', () => {
    const calls: unknown[] = []
    createOutlet(Object.assign(new PassThrough(), { isTTY: true, _handle: { setBlocking: (on: unknown) => calls.push(on) } }))
    assert.deepEqual(calls, [false])
  })
})

describe('two streams have the same target', () => {
  it('when they lead to the same file, and not otherwise', (t) => {
    const path = temporaryFile(t)
    const [one, same, other] = [streamOn(t, path), streamOn(t, path), streamOn(t, `${path}2`)]
    assert.equal(sameTarget(one, same), true)
    assert.equal(sameTarget(one, other), false)
    assert.equal(sameTarget(one, new PassThrough()), false)
    const stream = new PassThrough()
    assert.equal(sameTarget(stream, stream), true)
    assert.equal(sameTarget(one, Object.assign(new PassThrough(), { fd: 999_999 })), false)
  })
})
