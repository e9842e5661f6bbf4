import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withoutDetach } from '../../src/cli/argv.ts'
import { formatHelp } from '../../src/cli/help.ts'
import { formatVerbHelp } from '../../src/cli/verb-help.ts'
import { flagsOf, verb, VERB_NAMES, verbOf } from '../../src/cli/verbs.ts'
import { parseVerb } from '../../src/cli/verbs/parse.ts'
import { Slots } from '../../src/cli/verbs/slots.ts'
import { statusLines } from '../../src/cli/verbs/status.ts'
import type { StatusReport, WorkerStatus } from '../../src/protocol/control.ts'

const parse = async (...argv: readonly string[]): ReturnType<typeof parseVerb> => parseVerb(argv, () => {})

describe('the table of verbs', () => {
  it('has a help of at most 80 columns for each, and names each in the help of the command', () => {
    for (const name of VERB_NAMES) {
      const help = formatVerbHelp(name)
      assert.deepEqual(help.split('\n').filter((line) => line.length > 80), [])
      for (const { long } of flagsOf(name)) assert.ok(help.includes(`--${long}`), `${name} --${long}`)
      assert.ok(formatHelp().includes(`  everycore ${name} `), name)
      assert.ok(verb(name).examples.length > 0 && verb(name).examples.every(([line]) => line.startsWith('everycore ')), name)
    }
    assert.deepEqual(formatHelp().split('\n').filter((line) => line.length > 80), [])
  })
  it('has examples that parse', async () => {
    for (const name of VERB_NAMES) {
      for (const [line] of verb(name).examples) {
        const [, ...words] = line.split(' && ')[0]?.split(' ') ?? []
        assert.equal((await parse(...words))?.verb, name, line)
      }
    }
  })
  it('has no word twice, and none that is another command', () => {
    const words = VERB_NAMES.flatMap((name) => [name, ...verb(name).aliases])
    assert.deepEqual(words.filter((word, index) => words.indexOf(word) !== index || word === 'start' || word === 'help'), [])
  })
  it('finds verbs by their aliases', () => assert.deepEqual([verbOf('ps'), verbOf('list'), verbOf('server.js'), verbOf(undefined)], ['ls', 'ls', undefined, undefined]))
})

describe('the parser of verbs', () => {
  it('reads words and flags in any order', async () => {
    assert.deepEqual(await parse('status', '--json', 'shop', '--runtime-dir=/run/x'), { verb: 'status', args: ['shop'], flags: { json: true, 'runtime-dir': '/run/x' } })
    assert.deepEqual(await parse('scale', '-1', '-n', 'shop'), { verb: 'scale', args: ['-1', undefined], flags: { name: 'shop' } })
    assert.deepEqual(await parse('scale', '+1', 'shop'), { verb: 'scale', args: ['+1', 'shop'], flags: {} })
  })
  for (const argv of [['status', 'a', 'b'], ['status', '--jsno'], ['scale'], ['status', '--name'], ['ls', 'shop']]) {
    it(`refuses ${argv.join(' ')}`, async () => assert.rejects(async () => parse(...argv), { code: 'ERR_EVERYCORE_USAGE' }))
  }
})

describe('-d', () => {
  for (const [line, rest] of [['-d server.js -d', 'server.js -d'], ['start --detach -w 2 server.js', 'start -w 2 server.js'], ['-w 2 -d', '-w 2'], ['-n -d server.js', undefined], ['server.js -d', undefined]] as const) {
    it(line, () => {
      const { argv, isDetached } = withoutDetach(line.split(' '))
      assert.deepEqual([isDetached, argv.join(' ')], [rest !== undefined, rest ?? line])
    })
  }
})

const worker: WorkerStatus = { slot: 0, pid: 123_456, state: 'ready', reason: null, generation: 12, uptimeMs: 90_000_000, restarts: 3, lastExit: { reason: 'crash', how: 'exit code 1', at: '2026-01-01T00:00:00Z' }, respawnInMs: null, cpu: 0.734, rssBytes: 123_456_789, loopUtilization: 0.5, loopLagP99Ms: 12.34, requestsPerSecond: 1234.5, p50Ms: 1.23, p99Ms: 45.6, inFlight: 17, connections: 250 }
const report: StatusReport = { schemaVersion: 1, name: 'shop', pid: 1, state: 'running', size: 2, generation: 12, version: '1.0.0', node: 'v20.20.2', script: '/app/server.js', startedAt: '', uptimeMs: 1, runtimeDir: null, addresses: [{ kind: 'http', address: '::', port: 3000 }], verdict: ['all 2 workers are ready'], reload: null, restart: null, handOvers: { relayed: 0, gaveBack: 0, gaveUp: 0, waiting: 0 }, workers: [worker, { ...worker, slot: 1, state: 'back-off', pid: null, respawnInMs: 3000, uptimeMs: null, cpu: null }] }

describe('the status for people', () => {
  it('has a verdict on top, and all columns where there is room', () => {
    const lines = statusLines(report, { width: 200, color: false })
    assert.equal(lines[0], 'shop  all 2 workers are ready')
    const head = lines.find((line) => line.startsWith('SLOT')) ?? ''
    for (const title of ['PID', 'STATE', 'GEN', 'UPTIME', 'RESTARTS', 'LAST EXIT', 'CPU', 'RSS', 'LOOP', 'LAG P99', 'REQ/S', 'P50', 'P99', 'IN FLIGHT', 'CONNS']) assert.ok(head.includes(title), title)
    assert.ok(lines.some((line) => /73% +117\.7M +50% +12ms +1235 +1\.2ms +46ms +17 +250$/.test(line)), lines.join('\n'))
    assert.ok(head.length <= 150)
  })
  it('fits into 80 columns, and into fewer', () => {
    for (const width of [80, 60, 40]) {
      const lines = statusLines(report, { width, color: false })
      const table = lines.slice(lines.findIndex((line) => line.startsWith('SLOT')))
      assert.deepEqual(table.filter((line) => line.length > width), [], String(width))
    }
    const head = statusLines(report, { width: 80, color: false }).find((line) => line.startsWith('SLOT')) ?? ''
    for (const title of ['STATE', 'CPU', 'RSS', 'REQ/S', 'P99']) assert.ok(head.includes(title), `${title}: ${head}`)
  })
  it('can do nothing to a terminal', () => {
    const evil = '\u001B]0;owned\u0007\u009B31m\r'
    const lines = statusLines({ ...report, name: evil, verdict: [evil], version: evil, addresses: [{ kind: 'http', address: evil, port: null }], workers: [{ ...worker, lastExit: { reason: 'crash', how: evil, at: '' } }] }, { width: 200, color: false })
    assert.equal(/[\u0000-\u001F\u007F-\u009F]/.test(lines.join('')), false)
  })
})

describe('the progress of slots', () => {
  const at = ''
  it('goes from old to done, one step an event', () => {
    const slots = new Slots()
    slots.take({ ...report, size: 1 })
    slots.note({ type: 'reload:started', at, from: 12, to: 13 })
    const steps = [
      { type: 'worker:spawned', slot: 0, generation: 13 },
      { type: 'worker:listening', slot: 0, generation: 13 },
      { type: 'worker:ready', slot: 0, generation: 13 },
      { type: 'worker:draining', slot: 0, generation: 12 },
      { type: 'worker:exited', slot: 0, generation: 12 },
    ].map((event) => slots.note({ ...event, at })?.step)
    assert.deepEqual(steps, ['booting', undefined, 'ready', 'draining', 'done'])
  })
  it('in a restart the old goes first', () => {
    const slots = new Slots()
    slots.take({ ...report, size: 1 })
    slots.note({ type: 'restart:started', at, from: 12, to: 13 })
    const steps = [
      { type: 'worker:draining', slot: 0, generation: 12 },
      { type: 'worker:exited', slot: 0, generation: 12 },
      { type: 'worker:spawned', slot: 0, generation: 13 },
      { type: 'worker:ready', slot: 0, generation: 13 },
    ].map((event) => slots.note({ ...event, at })?.step)
    assert.deepEqual(steps, ['draining', 'down', 'booting', 'done'])
  })
})
