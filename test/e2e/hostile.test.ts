import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { App } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { isAlive } from '../harness/processes.ts'

/** Attacks that no defect explains: the worker is ended for them. */
const violations = ['ack', 'nack', 'garbage', 'endless', 'pipe', 'control', 'control-flood', 'proto', 'deaf', 'deaf-handles', 'deaf-datagrams', 'link-garbage', 'link-endless', 'link-forged', 'link-deaf'] as const
/** What only looks like one, or can be ignored. */
const harmless = ['query', 'large', 'deep', 'flood'] as const

for (const attack of violations) {
  test(`a worker that sends forged data (${attack}) is ended, and the supervisor goes on`, async (t) => {
    const app = await App.ready(t, 'hostile.cjs', { env: { ATTACK: attack } })
    await get({ port: app.port }, '/attack').catch(() => {})
    const { slot } = await app.event('worker:violated')
    await app.event('worker:exited', (record) => record.slot === slot)
    await app.event('worker:ready', (record) => record.slot === slot, 2)
    assert.equal((await get({ port: app.port })).status, 200)
    const told = app.records.filter(({ event }) => event === 'worker:violated' || event === 'worker:exited')
    assert.deepEqual(told.map((record) => record.slot), [slot, slot], 'once, and only that worker')
    assert.deepEqual(await app.stop(), { code: 0, signal: null })
  })
}

for (const attack of harmless) {
  test(`a worker that sends forged data (${attack}) cannot hurt the supervisor`, async (t) => {
    const app = await App.ready(t, 'hostile.cjs', { env: { ATTACK: attack } })
    const rssBefore = rssOf(app.pid)
    for (let count = 0; count < 3; count += 1) await get({ port: app.port }, '/attack').catch(() => {})
    if (attack === 'large') assert.equal((await app.line(/^REFUSED/)).msg, 'REFUSED ERR_EVERYCORE_MESSAGE')
    if (attack === 'flood') await app.line(/^FLOODED/)
    assert.ok(isAlive(app.pid))
    assert.equal((await get({ port: app.port })).status, 200)
    assert.ok(rssOf(app.pid) - rssBefore < 48 * 1024 * 1024)
    assert.deepEqual(await app.stop(), { code: 0, signal: null })
  })
}

function rssOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
  } catch {
    return 0
  }
}
