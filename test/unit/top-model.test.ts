import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { press, type Key } from '../../src/top/keys.ts'
import { EMPTY, shownLogs, update, type Input, type Model } from '../../src/top/model.ts'
import { KEPT } from '../../src/top/trends.ts'
import { entry, report, worker } from './top-fixtures.ts'

const after = (...inputs: readonly Input[]): Model => inputs.reduce(update, EMPTY)
const reported = (given: Parameters<typeof report>[0] = {}, nowMs = 0): Input => ({ type: 'reported', report: report(given), nowMs })
const logged = (...texts: readonly string[]): Input => ({ type: 'logged', entries: texts.map((text) => entry({ text })) })
const typed = (model: Model, ...keys: readonly (string | Key)[]): Model => keys.reduce<Model>((now, key) => press(now, keyOf(key)).model, model)
const keyOf = (key: string | Key): Key => (typeof key === 'string' ? { sequence: key, name: key } : key)
const commandOf = (model: Model, key: string | Key): string | undefined => press(model, keyOf(key)).command

describe('the model of top', () => {
  it('keeps one value a second, and as many as the widest curve has columns', () => {
    const inputs = Array.from({ length: KEPT + 10 }, (_, second) => [reported({}, second * 1000), reported({}, second * 1000 + 300)]).flat()
    const { histories } = after(...inputs)
    assert.equal(histories.total.requestsPerSecond.length, KEPT)
    assert.equal(histories.bySlot.get(0)?.p99Ms.length, KEPT)
    assert.equal(after(...inputs.slice(0, 6)).histories.total.loopUtilization.length, 3)
  })
  it('adds up requests, and takes the worst of all workers for the rest; what nobody knows is null', () => {
    const workers = [worker({ slot: 0, requestsPerSecond: 10, loopUtilization: 0.2, p99Ms: null }), worker({ slot: 1, requestsPerSecond: 5, loopUtilization: 0.7, p99Ms: null })]
    const { total } = after(reported({ workers })).histories
    assert.deepEqual(total, { requestsPerSecond: [15], loopUtilization: [0.7], p99Ms: [null] })
  })
  it('forgets the histories of slots that are gone', () => {
    const { histories } = after(reported({ workers: [worker({ slot: 0 }), worker({ slot: 1 })] }), reported({ workers: [worker({ slot: 0 })] }, 1000))
    assert.deepEqual([...histories.bySlot.keys()], [0])
  })
  it('bounds events and logs', () => {
    const events = Array.from({ length: 500 }, (_, slot): Input => ({ type: 'happened', event: { type: 'worker:ready', at: '', slot, bootMs: 1 } }))
    assert.equal(after(...events).events.length, 200)
    assert.equal(after(...Array.from({ length: 50 }, () => logged(...Array.from({ length: 100 }, String)))).logs.length, 2000)
  })
  it('says since when the supervisor does not answer, and that it does again', () => {
    const lost = after(reported(), { type: 'lost', why: 'gone', nowMs: 5000 }, { type: 'lost', why: 'still', nowMs: 6000 })
    assert.deepEqual(lost.lost, { sinceMs: 5000, why: 'still' })
    const found = update(lost, reported({}, 7000))
    assert.equal(found.lost, undefined)
    assert.equal(found.events.at(-1)?.text, 'the supervisor answers again')
    assert.match(update(lost, reported({ pid: 2 }, 7000)).events.at(-1)?.text ?? '', /another supervisor answers: pid 2/)
  })
  it('moves the selection to a worker that is there', () => {
    const three = after(reported({ workers: [0, 1, 2].map((slot) => worker({ slot })) }))
    assert.equal(typed(three, 'j', 'j', 'j').selected, 2)
    assert.equal(typed(three, 'j', { name: 'up', sequence: '\u001B[A' }, 'k').selected, 0)
    assert.equal(update(typed(three, 'j', 'j'), reported({ workers: [worker({ slot: 0 })] })).selected, 0)
    assert.equal(update(three, reported({ workers: [] })).selected, 0)
  })
  it('takes the lines of loggers apart, and cuts what no screen can show', () => {
    const { logs } = after(logged('{"level":50,"time":1,"msg":"no database","err":{"stack":"Error: x\\n    at y"}}', 'x'.repeat(9000)))
    assert.deepEqual(logs.map(({ text, tone }) => [text.slice(0, 40), tone]).slice(0, 3), [['ERROR no database', 'bad'], ['  Error: x', 'bad'], ['      at y', 'bad']])
    assert.equal(logs.at(-1)?.text.length, 2000)
  })
  it('says how many lines were missed', () => assert.match(after({ type: 'missed', lines: 3, at: '' }).logs[0]?.text ?? '', /^3 lines missed/))
})

describe('the keys of top', () => {
  const model = after(reported({ workers: [0, 1].map((slot) => worker({ slot })) }), logged('one', 'two', 'Three'))
  it('reloads only after y', () => {
    assert.equal(commandOf(model, 'r'), undefined)
    const asked = typed(model, 'r')
    assert.equal(asked.mode.name, 'confirm')
    assert.equal(commandOf(asked, 'y'), 'reload')
    assert.equal(commandOf(asked, 'n'), undefined)
    assert.equal(commandOf(asked, { name: 'return', sequence: '\r' }), undefined)
    assert.equal(typed(asked, 'n').mode.name, 'main')
  })
  it('does not ask for a reload of what does not answer', () => assert.equal(typed(update(model, { type: 'lost', why: '', nowMs: 0 }), 'r').mode.name, 'main'))
  for (const [key, command] of [['+', 'scale-up'], ['-', 'scale-down'], ['q', 'quit'], [{ name: 'c', ctrl: true, sequence: '\u0003' }, 'quit'], [{ name: 'z', ctrl: true, sequence: '\u001A' }, 'suspend'], [{ name: 'l', ctrl: true, sequence: '\f' }, 'redraw']] as const) {
    it(`says ${command} for ${JSON.stringify(key)}`, () => assert.equal(commandOf(model, key), command))
  }
  it('quits by Ctrl-C from everywhere', () => {
    for (const first of ['r', '/', '?', 'l']) assert.equal(commandOf(typed(model, first), { name: 'c', ctrl: true, sequence: '\u0003' }), 'quit', first)
  })
  it('filters the logs by a text, without regard to case', () => {
    const filtered = typed(model, '/', 't', 'H', 'x', { name: 'backspace', sequence: '\u007F' })
    assert.deepEqual(shownLogs(filtered).map(({ text }) => text), ['Three'])
    assert.equal(commandOf(filtered, 'q'), undefined)
    assert.equal(typed(filtered, { name: 'return', sequence: '\r' }).filter, 'tH')
    assert.equal(typed(filtered, { name: 'escape', sequence: '\u001B' }).filter, '')
    assert.equal(typed(filtered, { name: 'return', sequence: '\r' }, { name: 'escape', sequence: '\u001B' }).filter, '')
  })
  it('takes whole characters into the filter, and no control characters', () => {
    assert.equal(typed(model, '/', '日', '😀', { sequence: '\u001B[5~', name: 'pageup' }, { sequence: '\t', name: 'tab' }).filter, '日😀')
    assert.equal(typed(model, '/', '日', '😀', { name: 'backspace', sequence: '\u007F' }).filter, '日')
  })
  it('shows the lines of one worker in its details', () => {
    const lines: Input = { type: 'logged', entries: [entry({ slot: 1, text: 'mine' }), entry({ slot: null, stream: 'everycore', text: 'own' })] }
    assert.deepEqual(shownLogs(typed(update(model, lines), 'j', { name: 'return', sequence: '\r' })).map(({ text }) => text), ['mine'])
  })
  it('stays where somebody reads when other lines come', () => {
    const up = typed(model, 'l', 'k')
    assert.equal(up.back, 1)
    assert.equal(update(up, logged('four', 'five')).back, 3)
    assert.equal(typed(up, { name: 'end', sequence: '\u001B[F' }).back, 0)
    assert.equal(typed(up, { name: 'pageup', sequence: '\u001B[5~' }).back, 2)
  })
  it('does nothing for keys that it does not know', () => assert.deepEqual(typed(model, 'x', { name: undefined, sequence: undefined }, { name: 'f5', sequence: '\u001B[15~' }), model))
})
