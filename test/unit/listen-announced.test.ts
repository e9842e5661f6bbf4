import assert from 'node:assert/strict'
import { test } from 'node:test'
import { announcedSockets, fit, misplacedSockets, type Bound } from '../../src/listen/primary/announced.ts'
import type { BindRequest } from '../../src/protocol/messages.ts'

const pid = String(process.pid)
const all6: Bound = { address: '::', port: 3000 }
const all4: Bound = { address: '0.0.0.0', port: 3000 }
const local4: Bound = { address: '127.0.0.1', port: 3000 }
const local6: Bound = { address: '::1', port: 3000 }

function request(address: string | null, port = 3000, addressType = 4): BindRequest {
  return { type: 'bind', seq: 1, address, port, addressType, fd: null, flags: 0, index: 0, backlog: 511, readableAll: false, writableAll: false, ticketKeys: null }
}

test('sockets are announced to one process, by its pid', () => {
  assert.deepEqual([...announcedSockets({ LISTEN_PID: pid, LISTEN_FDS: '2' })], [3, 4])
  assert.deepEqual([...announcedSockets({ LISTEN_PID: '1', LISTEN_FDS: '2' })], [])
  for (const LISTEN_FDS of ['', '-1', 'x', '1.5', '1e9']) assert.deepEqual([...announcedSockets({ LISTEN_PID: pid, LISTEN_FDS })], [], LISTEN_FDS)
})

test('sockets that went to another process are told, and nothing else', () => {
  assert.equal(misplacedSockets({}), undefined)
  assert.equal(misplacedSockets({ LISTEN_PID: pid, LISTEN_FDS: '1' }), undefined)
  assert.match(misplacedSockets({ LISTEN_PID: '1', LISTEN_FDS: '2' }) ?? '', /2 sockets to process 1, .* has kept them/)
  assert.match(misplacedSockets({ LISTEN_FDS: '1' }) ?? '', /a socket to process unknown/)
})

test('a socket fits a listen() of the same address, and all addresses fit who asks for them', () => {
  assert.deepEqual([fit(request(null), all6), fit(request(null), all4), fit(request(null), local4)], [0, 1, undefined])
  assert.deepEqual([fit(request('0.0.0.0'), all4), fit(request('0.0.0.0'), all6)], [0, 1])
  assert.deepEqual([fit(request('::'), all6), fit(request('::'), all4)], [0, undefined])
  assert.deepEqual([fit(request('127.0.0.1'), local4), fit(request('127.0.0.1'), all6), fit(request('127.0.0.1'), local6)], [0, undefined, undefined])
  assert.equal(fit(request('0:0:0:0:0:0:0:1', 3000, 6), local6), 0, 'however it is written')
  assert.equal(fit(request('nonsense:', 3000, 6), local6), undefined)
  assert.equal(fit(request(null, 3001), all6), undefined)
  assert.equal(fit(request(null, 0), { address: '::', port: 0 }), undefined, 'listen(0) wants a free port')
})

test('a unix socket fits its path', () => {
  assert.equal(fit(request('/run/app.sock', -1, -1), { path: '/run/app.sock' }), 0)
  assert.equal(fit(request('/run/other.sock', -1, -1), { path: '/run/app.sock' }), undefined)
  assert.equal(fit(request('/run/app.sock', -1, -1), all6), undefined)
  assert.equal(fit(request(null), { path: '/run/app.sock' }), undefined)
})
