import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fixture, freePort } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { Program } from '../harness/program.ts'

const sorted = (list: readonly unknown[]): readonly string[] => list.map((one) => JSON.stringify(one)).sort()

test('start, scale up and down, stop: each promise keeps its word', async (t) => {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 1, gracefulTimeoutMs: 5000, port: ${port} })
    await supervisor.start()
    report('started', { addresses: supervisor.addresses, workers: supervisor.snapshot.workers.length })
    await supervisor.scale(3)
    report('up', supervisor.snapshot.workers.map(({ slot, phase }) => [slot, phase]))
    await supervisor.scale(1)
    report('down', supervisor.snapshot.workers.map(({ slot, phase }) => [slot, phase]))
    supervisor.scale(2).catch(() => {})
    await supervisor.scale('auto')
    report('as the machine gives', { size: supervisor.snapshot.size, auto: supervisor.settings.sizing.auto })
    await supervisor.stop()
    report('stopped', supervisor.snapshot.phase)
  `,
  )
  assert.deepEqual(await program.report('started'), { addresses: [{ kind: 'http', address: '::', port }], workers: 1 })
  assert.deepEqual(await program.report('up'), [[0, 'ready'], [1, 'ready'], [2, 'ready']])
  assert.deepEqual(await program.report('down'), [[0, 'ready']])
  const { size, auto } = (await program.report('as the machine gives')) as { readonly size: number; readonly auto: number }
  assert.equal(size, auto)
  assert.equal(await program.report('stopped'), 'stopped')
  assert.equal(await program.ended, 0, 'nothing keeps the program alive afterwards')
  assert.equal(program.stderr, '', 'the library is quiet')
})

test('messages: from workers, to one, to all; and the events of a worker in their order', async (t) => {
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'messages.cjs', workers: 2, port: 0 })
    const order = []
    for (const name of ['worker:spawned', 'worker:listening', 'worker:ready', 'worker:draining', 'worker:disconnected', 'worker:exited'])
      supervisor.on(name, ({ slot }) => slot === 0 && order.push(name))
    const answers = new Set()
    supervisor.on('worker:message', (message, { slot }) => {
      report('message', { message, slot })
      answers.add(slot + JSON.stringify(message))
      if (answers.size === 5) supervisor.stop().then(() => report('order', order))
    })
    await supervisor.start()
    supervisor.send(1, { to: 'one' })
    report('taken', supervisor.broadcast(['to', 'all']))
    try { supervisor.send(7, 'nobody') } catch (error) { report('refused', error.code) }
    try { supervisor.send(0, undefined) } catch (error) { report('unwritable', error.code) }
    try { supervisor.send(0, 'x'.repeat(2 ** 21)) } catch (error) { report('large', error.code) }
  `,
  )
  assert.equal(await program.report('taken'), 2)
  assert.equal(await program.report('refused'), 'ERR_EVERYCORE_MESSAGE')
  assert.equal(await program.report('unwritable'), 'ERR_EVERYCORE_MESSAGE')
  assert.equal(await program.report('large'), 'ERR_EVERYCORE_MESSAGE')
  const order = (await program.report('order')) as string[]
  assert.deepEqual(order.slice(0, 4), ['worker:spawned', 'worker:listening', 'worker:ready', 'worker:draining'])
  assert.equal(order.at(-1), 'worker:exited')
  const messages = program.reports.filter(({ name }) => name === 'message').map(({ value }) => value)
  const expected = [
    { message: 'hello', slot: 0 },
    { message: 'hello', slot: 1 },
    { message: { echo: { to: 'one' }, slot: '1' }, slot: 1 },
    { message: { echo: ['to', 'all'], slot: '0' }, slot: 0 },
    { message: { echo: ['to', 'all'], slot: '1' }, slot: 1 },
  ]
  assert.deepEqual(sorted(messages), sorted(expected))
})

test('the output of the workers goes where the program says', async (t) => {
  const program = Program.start(
    t,
    `
    const { PassThrough } = await import('node:stream')
    const stdout = new PassThrough().setEncoding('utf8')
    const supervisor = await createSupervisor({ script: 'exits-zero.cjs', workers: 1, stdout, stderr: stdout, logFormat: 'raw', verbosity: 'quiet' })
    await supervisor.start().catch(() => {})
    report('text', stdout.read())
  `,
  )
  assert.match(String(await program.report('text')), /^done$/m)
})

test('a start that fails rejects with the reason, and nothing is left', async (t) => {
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'throws.cjs', port: 0 })
    await supervisor.start().catch((error) => report('failed', { code: error.code, message: error.message, why: error.why, exitCode: error.exitCode }))
    report('done', (await supervisor.done).code)
  `,
  )
  const failed = (await program.report('failed')) as Record<string, unknown>
  assert.deepEqual([failed['code'], failed['exitCode']], ['ERR_EVERYCORE_LOAD', 4])
  assert.match(String(failed['why']), /thrown at import/)
  assert.equal(await program.report('done'), 'ERR_EVERYCORE_LOAD')
  assert.equal(await program.ended, 0)
})

test('unknown options and wrong values are told together', async (t) => {
  const program = Program.start(t, `await createSupervisor({ script: 'web.cjs', workres: 2, port: 'x' }).catch((error) => report('refused', error.code + ' ' + error.message + ' ' + error.why + ' ' + error.hint))`)
  const text = String(await program.report('refused'))
  assert.match(text, /^ERR_EVERYCORE_SETTING/)
  assert.match(text, /workres/)
  assert.match(text, /"workers"/)
  assert.match(text, /port/)
})

test('a listener that throws does not disturb supervision', async (t) => {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 1, port: ${port} })
    supervisor.on('worker:ready', () => { throw new Error('a defect of the listener') })
    process.once('SIGTERM', () => supervisor.stop())
    await supervisor.start()
    report('started', true)
  `,
  )
  await program.report('started')
  assert.equal((await get({ port })).status, 200)
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
  assert.match(program.stderr, /a defect of the listener/)
})

test('reload replaces every worker; a release that throws leaves the old ones serving', async (t) => {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 2, port: ${port} })
    await supervisor.start()
    const pids = () => supervisor.snapshot.workers.filter(({ phase }) => phase === 'ready').map(({ pid }) => pid)
    const before = pids()
    await Promise.all([supervisor.reload(), supervisor.reload()])
    report('reloaded', { generation: supervisor.snapshot.generation, kept: pids().filter((pid) => before.includes(pid)).length })
    await supervisor.stop()
    await supervisor.reload().catch((error) => report('late', error.code))
  `,
  )
  assert.deepEqual(await program.report('reloaded'), { generation: 3, kept: 0 })
  assert.equal(await program.report('late'), 'ERR_EVERYCORE_STATE')
  assert.equal(await program.ended, 0)
})

test('a reload that fails rejects with the cause and with the last lines of the new worker, harmless for a terminal', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const script = join(directory, 'server.cjs')
  copyFileSync(fixture('web.cjs'), script)
  const throwing = String.raw`console.log('config read\x1b[2J'); throw new Error('no \x1b[31mdatabase')`
  const idle = `for (let line = 1; line <= 50; line++) console.log('waiting ' + line); console.log('x'.repeat(5000)); setInterval(() => {}, 1000)`
  const program = Program.start(
    t,
    `
    const { writeFileSync } = await import('node:fs')
    const supervisor = await createSupervisor({ script: ${JSON.stringify(script)}, workers: 1, port: 0, readyTimeoutMs: 2000 })
    await supervisor.start()
    const tryRelease = async (name, text) => {
      writeFileSync(${JSON.stringify(script)}, text)
      await supervisor.reload().catch((error) => report(name, { code: error.code, why: error.why, cause: error.cause?.message, lastLines: error.lastLines }))
    }
    await tryRelease('throws', ${JSON.stringify(throwing)})
    await tryRelease('never listens', ${JSON.stringify(idle)})
    await supervisor.stop()
  `,
  )
  const thrown = (await program.report('throws')) as Refusal
  assert.deepEqual([thrown.code, thrown.cause], ['ERR_EVERYCORE_RELOAD', 'no \u001b[31mdatabase'])
  assert.match(thrown.why, /^boot-failure: Error: no/)
  assert.equal(thrown.lastLines[0], 'config read\\x1b[2J')
  assert.ok(thrown.lastLines.includes('Error: no database'), thrown.lastLines.join('\n'))
  const never = (await program.report('never listens')) as Refusal
  assert.equal(never.why, 'ready-timeout')
  assert.equal(never.lastLines.length, 20)
  assert.equal(never.lastLines[0], 'waiting 32')
  assert.match(never.lastLines[19] ?? '', /^x{1000}…$/)
})

interface Refusal {
  readonly code: string
  readonly why: string
  readonly cause?: string
  readonly lastLines: readonly string[]
}

test('two supervisors in one program do not mix', async (t) => {
  const ports = [await freePort(), await freePort()]
  const program = Program.start(
    t,
    `
    const make = (port, args) => createSupervisor({ script: 'identity.cjs', workers: 1, port, args, logFormat: 'raw' })
    const all = await Promise.all([make(${ports[0]}, ['a']), make(${ports[1]}, ['b'])])
    await Promise.all(all.map((supervisor) => supervisor.start()))
    report('ports', all.map(({ addresses }) => addresses.map(({ port }) => port)))
    await Promise.all(all.map((supervisor) => supervisor.stop()))
  `,
  )
  assert.deepEqual(await program.report('ports'), ports.map((port) => [port]))
  assert.equal(await program.ended, 0)
})

test('a worker that the system refuses is named by id, slot and generation', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(cwd, { recursive: true, force: true }))
  const program = Program.start(
    t,
    `
    const { rmdirSync } = await import('node:fs')
    const supervisor = await createSupervisor({ script: ${JSON.stringify(fixture('web.cjs'))}, workers: 1, port: 0, cwd: ${JSON.stringify(cwd)} })
    supervisor.on('worker:spawn-failed', (event) => report('refused', event))
    await supervisor.start()
    rmdirSync(${JSON.stringify(cwd)})
    await supervisor.reload().catch((error) => report('reload', error.why))
    process.kill(supervisor.snapshot.workers[0].pid, 'SIGKILL')
    await new Promise((resolve) => supervisor.once('worker:spawn-failed', resolve))
    await supervisor.stop()
  `,
  )
  const refused = (await program.report('refused')) as Record<string, unknown>
  assert.deepEqual(refused, { type: 'worker:spawn-failed', id: 2, slot: 0, generation: 1, code: 'ENOENT', respawnInMs: refused['respawnInMs'] })
  assert.match(String(await program.report('reload')), /there is no directory/)
})

test('a reload that a stop cuts short says so', async (t) => {
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 2, port: 0 })
    await supervisor.start()
    supervisor.once('reload:started', () => setImmediate(() => supervisor.stop()))
    await supervisor.reload().catch((error) => report('rejected', [error.code, error.message, error.why]))
    await supervisor.done
  `,
  )
  assert.deepEqual(await program.report('rejected'), ['ERR_EVERYCORE_RELOAD', 'the reload was not carried out', 'the supervisor was stopped'])
})

test('a scale that a later one replaces is rejected; the same number twice is not', async (t) => {
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'web.cjs', workers: 1, port: 0 })
    await supervisor.start()
    const outcomes = await Promise.allSettled([supervisor.scale(3), supervisor.scale(2), supervisor.scale(2)])
    report('outcomes', outcomes.map(({ status, reason }) => reason === undefined ? status : [status, reason.code, reason.message]))
    report('ready', supervisor.snapshot.workers.filter(({ phase }) => phase === 'ready').length)
    await supervisor.stop()
  `,
  )
  const rejected = ['rejected', 'ERR_EVERYCORE_STATE', 'scale(3) was not carried out: a later scale(2) replaced it']
  assert.deepEqual(await program.report('outcomes'), [rejected, 'fulfilled', 'fulfilled'])
  assert.equal(await program.report('ready'), 2)
})

test('addresses are where the app listens now', async (t) => {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'closes.cjs', workers: 1, port: ${port} })
    await supervisor.start()
    report('listening', supervisor.addresses)
    await fetch('http://127.0.0.1:${port}')
    while (supervisor.addresses.length > 0) await new Promise(setImmediate)
    await supervisor.reload()
    report('again', supervisor.addresses)
    await supervisor.stop()
    report('stopped', supervisor.addresses)
  `,
  )
  const here = [{ kind: 'http', address: '::', port }]
  assert.deepEqual(await program.report('listening'), here)
  assert.deepEqual(await program.report('again'), here)
  assert.deepEqual(await program.report('stopped'), [])
})

test('addresses do not grow with the ports that an app has had', async (t) => {
  const port = await freePort()
  const program = Program.start(
    t,
    `
    const supervisor = await createSupervisor({ script: 'many-ports.cjs', workers: 1, port: ${port}, stdout: new (await import('node:stream')).PassThrough().on('data', (text) => String(text).includes('DONE') && report('done', supervisor.addresses)) })
    await supervisor.start()
    await supervisor.done
  `,
  )
  assert.deepEqual(await program.report('done'), [{ kind: 'http', address: '::', port }])
})
