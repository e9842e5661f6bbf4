import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { createBindRequests, type AnyServer, type Query } from '../../src/listen/worker/bind-request.ts'

const QUERY: Query = { address: null, port: 0, addressType: 4, fd: undefined as never, flags: undefined as never, backlog: false }

test('servers on any free port are told apart, those on one address by their order', () => {
  const requestOf = createBindRequests()
  const server = createServer()
  const indexes = [QUERY, QUERY, { ...QUERY, address: '127.0.0.1' }, { ...QUERY, addressType: 6 }, { ...QUERY, port: 80 }, QUERY].map((query) => requestOf(server, query).index)
  assert.deepEqual(indexes, [0, 1, 0, 0, 0, 2])
})

test('what the app leaves out is said as net.js means it', () => {
  const request = createBindRequests()(createServer(), QUERY)
  assert.deepEqual(request, { type: 'bind', address: null, port: 0, addressType: 4, fd: null, flags: 0, readableAll: false, writableAll: false, backlog: 511, index: 0, ticketKeys: null })
})

test('a path is absolute, whatever directory the primary has; an abstract name stays', () => {
  const requestOf = createBindRequests()
  const path = (address: string): string | null => requestOf(createServer(), { ...QUERY, address, port: -1, addressType: -1 }).address
  assert.deepEqual([path('run/app.sock'), path('\0app')], [resolve('run/app.sock'), '\0app'])
})

test('a server of TLS tells the keys of its tickets', () => {
  const server: AnyServer = Object.assign(createServer(), { _getServerData: () => ({ ticketKeys: 'abcd' }) })
  assert.equal(createBindRequests()(server, QUERY).ticketKeys, 'abcd')
})
