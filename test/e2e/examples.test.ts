import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once, type EventEmitter } from 'node:events'
import { createInterface } from 'node:readline'
import { before, test, type TestContext } from 'node:test'
import { App, freePort } from '../harness/app.ts'
import { EXAMPLES, installExamples, npm, requireHere } from '../harness/examples.ts'
import { Connection, get } from '../harness/http.ts'
import { processesOf, RUN_VARIABLE } from '../harness/processes.ts'
import { until } from '../harness/until.ts'

interface WsClient extends EventEmitter {
  send(text: string): void
}

interface SocketIoClient {
  on(event: string, listener: (value: unknown) => void): void
  emitWithAck(event: string, value: unknown): Promise<unknown>
}

interface Example {
  readonly folder: string
  readonly script?: string
  readonly path?: string
  /** The whole body, from the worker with this pid. */
  readonly answer?: (pid: number) => string
}

const hello = (pid: number): string => `hello from process ${pid}\n`

const HTTP_EXAMPLES: readonly Example[] = [
  { folder: 'http-cjs' },
  { folder: 'http-esm' },
  { folder: 'express' },
  { folder: 'fastify', answer: (pid) => `{"hello":"world","pid":${pid}}` },
  { folder: 'koa' },
  { folder: 'hono' },
  { folder: 'nestjs', script: 'dist/main.js' },
  { folder: 'typescript', script: 'server.ts', path: '/?name=core', answer: (pid) => `{"text":"hello core","pid":${pid}}\n` },
  { folder: 'cpu', path: '/?n=25', answer: (pid) => `{"n":25,"value":75025,"pid":${pid}}\n` },
]

before(installExamples)

async function ready(t: TestContext, { folder, script = 'server.js' }: Example): Promise<App> {
  const cwd = `${EXAMPLES}${folder}`
  return App.ready(t, `${cwd}/${script}`, { cwd })
}

async function allAnswer(app: App, { path = '/', answer = hello }: Omit<Example, 'folder'> = {}): Promise<void> {
  const correct = new Set(app.workerPids().map(answer))
  const seen = new Set<string>()
  await until('both workers have answered', async () => {
    const responses = await Promise.all(Array.from({ length: 8 }, () => get({ port: app.port }, path)))
    for (const { status, body } of responses) {
      assert.equal(status, 200)
      assert.ok(correct.has(body), body)
      seen.add(body)
    }
    return seen.size === 2
  })
}

async function stopsCleanly(app: App): Promise<void> {
  assert.deepEqual(await app.stop(), { code: 0, signal: null }, app.transcript)
  assert.deepEqual(app.leftovers(), [])
  const exits = app.records.filter(({ event }) => event === 'worker:exited')
  assert.deepEqual(exits.map(({ kind }) => kind), ['retired', 'retired'], app.transcript)
}

async function next(client: SocketIoClient, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.on(event, resolve)
    client.on('connect_error', reject)
  })
}

for (const example of HTTP_EXAMPLES) {
  test(`${example.folder}: both workers answer, and all stop`, async (t) => {
    if (example.folder === 'nestjs') npm('run', 'build', '--prefix', `${EXAMPLES}nestjs`)
    const app = await ready(t, example)
    await allAnswer(app, example)
    await stopsCleanly(app)
  })
}

test('express: a posted body is parsed', async (t) => {
  const app = await ready(t, { folder: 'express' })
  const connection = await Connection.open({ port: app.port })
  const { body } = await connection.request('/echo', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' })
  connection.close()
  assert.deepEqual((JSON.parse(body) as { received: unknown }).received, { a: 1 })
})

test("nestjs and hono: the app's own shutdown runs in each worker, after the requests", async (t) => {
  const nest = await ready(t, { folder: 'nestjs', script: 'dist/main.js' })
  await stopsCleanly(nest)
  assert.equal(nest.output.filter((line) => line.includes('Shutting down on SIGTERM')).length, 2, nest.transcript)
  const hono = await ready(t, { folder: 'hono' })
  await stopsCleanly(hono)
  assert.equal(hono.output.filter((line) => line === 'closed').length, 2, hono.transcript)
})

test('cpu: a request that blocks one worker does not stop the other', async (t) => {
  const app = await ready(t, { folder: 'cpu' })
  let slowPid: number | undefined
  const slow = fibonacci(40).then(({ pid }) => (slowPid = pid))
  let quickPid: number | undefined
  const quick: Promise<unknown>[] = []
  // One that the same worker had accepted before it began to count must wait; a later one need not.
  await until('a later request is answered first', () => {
    assert.equal(slowPid, undefined)
    quick.push(fibonacci(1).then(({ pid }) => (quickPid ??= pid)))
    return quickPid !== undefined
  })
  assert.equal(slowPid, undefined)
  assert.notEqual(await slow, quickPid)
  await Promise.all(quick)
  await stopsCleanly(app)

  async function fibonacci(n: number): Promise<{ readonly pid: number }> {
    const { body } = await get({ port: app.port }, `/?n=${n}`)
    return JSON.parse(body) as { readonly pid: number }
  }
})

test('ws: clients of both workers get their echo, and 1001 when the app stops', async (t) => {
  const WebSocket = requireHere('ws') as new (url: string) => WsClient
  const app = await ready(t, { folder: 'ws' })
  await allAnswer(app)
  const clients = await Promise.all(Array.from({ length: 8 }, () => open()))
  for (const [index, client] of clients.entries()) {
    const echoed = once(client, 'message')
    client.send(`message ${index}`)
    assert.equal(String((await echoed)[0]), `message ${index}`)
  }
  const closes = clients.map(async (client) => once(client, 'close'))
  await stopsCleanly(app)
  for (const [code, reason] of await Promise.all(closes)) assert.deepEqual([code, String(reason)], [1001, 'restarting'])

  async function open(): Promise<WsClient> {
    const client = new WebSocket(`ws://127.0.0.1:${app.port}`)
    await once(client, 'open')
    return client
  }
})

test('socket-io: clients talk over WebSocket, and see the connection close when the app stops', async (t) => {
  const { io } = requireHere('socket.io-client') as { readonly io: (url: string, options: object) => SocketIoClient }
  const app = await ready(t, { folder: 'socket-io' })
  assert.match((await get({ port: app.port })).body, /<title>Socket.IO/)
  const clients = Array.from({ length: 8 }, () => {
    const client = io(`http://127.0.0.1:${app.port}`, { transports: ['websocket'], reconnection: false, forceNew: true })
    return { client, welcome: next(client, 'welcome'), end: next(client, 'disconnect') }
  })
  for (const { client, welcome } of clients) {
    const { pid } = (await welcome) as { pid: number }
    assert.ok(app.workerPids().includes(pid))
    assert.deepEqual(await client.emitWithAck('chat message', 'hello'), { text: 'hello', pid })
  }
  await stopsCleanly(app)
  for (const { end } of clients) assert.equal(await end, 'transport close')
})

test('messages: workers report to a primary of our own, and it tells all of them', async (t) => {
  const port = await freePort()
  const runId = randomUUID()
  const child = spawn(process.execPath, ['primary.js'], {
    cwd: `${EXAMPLES}messages`,
    env: { ...process.env, PORT: String(port), EVERYCORE_WORKERS: '2', [RUN_VARIABLE]: runId },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  t.after(() => child.kill('SIGKILL'))
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (line.startsWith('ready')) break
  }
  child.stdout.resume()
  assert.equal(lines.at(-1), 'ready: 2 workers')

  for (let visits = 0; visits < 10; visits += 1) await get({ port }, '/visit')
  const totals = new Map<number, number>()
  await until('both workers know of all visits', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => get({ port })))
    for (const { body } of answers) {
      const { pid, total } = JSON.parse(body) as { readonly pid: number; readonly total: number }
      totals.set(pid, total)
    }
    return totals.size === 2 && [...totals.values()].every((total) => total === 10)
  })
  child.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
  assert.deepEqual(processesOf(runId), [])
})
