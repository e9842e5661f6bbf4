import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { after, before, describe, test } from 'node:test'
import type { AddressInfo } from 'node:net'
import { sendStickyCookie } from '../../src/listen/worker/sticky-cookie.ts'

type Write = (response: ServerResponse) => void

/** Ways of an app to write its head, without a look at its types. */
const call = (response: ServerResponse, ...given: readonly unknown[]): void => void (response.writeHead as (...given: readonly unknown[]) => unknown)(...given)

/** What the app writes, and its own cookies in it. */
const FORMS: readonly (readonly [string, readonly string[], Write])[] = [
  ['nothing', [], () => {}],
  ['write()', [], (response) => response.write('x')],
  ['flushHeaders()', [], (response) => response.flushHeaders()],
  ['setHeader()', ['a=1'], (response) => response.setHeader('Set-Cookie', 'a=1')],
  ['setHeader() with several', ['a=1', 'b=2'], (response) => response.setHeader('set-cookie', ['a=1', 'b=2'])],
  ['appendHeader()', ['a=1', 'b=2'], (response) => response.appendHeader('set-cookie', 'a=1').appendHeader('Set-Cookie', 'b=2')],
  ['setHeaders()', ['a=1', 'b=2'], (response) => response.setHeaders(new Headers([['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-own', '1']]))],
  ['writeHead(status)', [], (response) => call(response, 200)],
  ['writeHead(status, text)', [], (response) => call(response, 200, 'Fine')],
  ['writeHead(status, object)', [], (response) => call(response, 200, { 'x-own': '1' })],
  ['writeHead(status, object with a cookie)', ['a=1'], (response) => call(response, 200, { 'x-own': '1', 'SET-COOKIE': 'a=1' })],
  ['writeHead(status, text, object with cookies)', ['a=1', 'b=2'], (response) => call(response, 200, 'Fine', { 'set-cookie': ['a=1', 'b=2'], 'x-own': '1' })],
  ['writeHead(status, list)', [], (response) => call(response, 200, ['x-own', '1', 'x-own', '2'])],
  ['writeHead(status, list with cookies)', ['a=1', 'b=2'], (response) => call(response, 200, ['Set-Cookie', 'a=1', 'x-own', '1', 'set-cookie', 'b=2'])],
  ['writeHead(status, text, list)', ['a=1'], (response) => call(response, 200, 'Fine', ['Set-Cookie', ['a=1'], 'x-own', '1'])],
  ['writeHead(status, pairs)', [], (response) => call(response, 200, [['x-own', '1'], ['x-own', '2']])],
  ['writeHead(status, pairs with cookies)', ['a=1', 'b=2'], (response) => call(response, 200, [['Set-Cookie', 'a=1'], ['x-own', '1'], ['Set-Cookie', 'b=2']])],
  ['setHeader() and writeHead(status)', ['a=1'], (response) => call(response.setHeader('set-cookie', 'a=1'), 200)],
  ['setHeader() and writeHead(status, object)', ['a=1'], (response) => call(response.setHeader('set-cookie', 'a=1'), 200, { 'x-own': '1' })],
  ['setHeader() and writeHead(status, object with a cookie)', ['b=2'], (response) => call(response.setHeader('set-cookie', 'a=1'), 200, { 'Set-Cookie': 'b=2', 'x-own': '1' })],
  ['setHeader() and writeHead(status, list with a cookie)', ['b=2'], (response) => call(response.setHeader('set-cookie', 'a=1'), 200, ['Set-Cookie', 'b=2', 'x-own', '1'])],
  ['setHeader() of another and writeHead(status, list)', [], (response) => call(response.setHeader('x-own', '1'), 200, ['x-more', '1'])],
]

const writesNothing: Write = () => {}

describe('the sticky cookie joins those of the app', () => {
  let write: Write = writesNothing
  let isSticky = false
  const server = createServer((_, response) => {
    if (isSticky) sendStickyCookie(response, 'value')
    write?.(response)
    response.end()
  })
  before(async () => once(server.listen(0, '127.0.0.1'), 'listening'))
  after(() => server.close().closeAllConnections())

  const ask = async (sticky: boolean, how: Write): Promise<{ readonly cookies: readonly string[]; readonly own: string | null; readonly text: string }> => {
    isSticky = sticky
    write = how
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await response.text()
    return { cookies: response.headers.getSetCookie(), own: response.headers.get('x-own'), text: response.statusText }
  }

  for (const [form, cookies, how] of FORMS) {
    test(form, async () => {
      const plain = await ask(false, how)
      assert.deepEqual(plain.cookies, cookies, 'as Node alone writes it')
      const sticky = await ask(true, how)
      assert.deepEqual([...sticky.cookies].sort(), [...cookies, 'everycore=value; Path=/; HttpOnly; SameSite=Lax'].sort())
      assert.deepEqual([sticky.own, sticky.text], [plain.own, plain.text])
    })
  }
})
