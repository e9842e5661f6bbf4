/** `--metrics`: what is told of a running app, and that no count goes back. `docs/metrics.md` promises what is shown here. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { App, freePort, type StartOptions } from '../harness/app.ts'
import { Connection, get, type Response } from '../harness/http.ts'
import { parseMetrics, type Values } from '../harness/metrics.ts'
import { until } from '../harness/until.ts'

const LOCAL = { host: 'localhost' }

/** Port of the metrics, once they are served. */
async function metricsPort(app: App, nth = 1): Promise<number> {
  const { metrics } = await app.record('where metrics are', (record) => record['metrics'] !== undefined, nth)
  return Number(new URL(String(metrics)).port)
}

async function withMetrics(...[t, script, { options = [], ...others }]: readonly [Parameters<typeof App.start>[0], string, StartOptions]): Promise<{ readonly app: App; readonly port: number }> {
  const app = await App.start(t, script, { ...others, options: ['--metrics', '0', ...options] })
  return { app, port: await metricsPort(app) }
}

async function ask(port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return get({ port }, path, { ...LOCAL, connection: 'close', ...headers })
}

async function scrape(port: number): Promise<Values> {
  const { status, body } = await ask(port, '/metrics')
  assert.equal(status, 200)
  return parseMetrics(body)
}

/** Waits until what workers have counted has been told: they do so once a second. */
async function scrapeUntil(port: number, what: string, holds: (values: Values) => boolean): Promise<Values> {
  let values: Values = new Map()
  await until(what, async () => holds((values = await scrape(port))), 20_000)
  return values
}

/** Those that went back. */
function decreased(before: Values, after: Values): readonly string[] {
  const counts = [...before].filter(([name]) => /_(?:total|bucket|sum|count)(?:\{|$)/.test(name) && !name.startsWith('nodejs_active_'))
  return counts.filter(([name, value]) => (after.get(name) ?? -1) < value).map(([name, value]) => `${name}: ${value}, then ${after.get(name)}`)
}

const orders = (values: Values): number => values.get(String.raw`shop_orders_total{kind="a \"quoted\" \\ kind"}`) ?? 0
const CHECK = spawnSync('promtool', ['--version']).status === 0

test("requests, the app's own metrics and ours; they go on over kill -9 and five reloads", async (t) => {
  const secret = `CANARY_${Math.random()}`
  const { app, port } = await withMetrics(t, 'counts.cjs', { env: { API_TOKEN: secret, NAMED_REGISTRY: '1' }, options: ['--min-uptime', '0'], args: [`--password=${secret}`] })
  await app.event('primary:started')
  // Their paths and methods are what a stranger likes: no series is made of them.
  const client = await Connection.open({ port: app.port })
  for (let count = 0; count < 200; count += 1) await client.request(`/${count}`, { method: count % 2 === 0 ? 'GET' : 'PROPFIND' })
  client.close()
  let before = await scrapeUntil(port, 'all 200 are told', (values) => orders(values) === 200 && (values.get('everycore_requests_total{worker="0"}') ?? 0) + (values.get('everycore_requests_total{worker="1"}') ?? 0) === 200)
  assert.equal(before.get('http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200"}'), 100)
  assert.equal([...before.keys()].filter((name) => name.startsWith('http_server_request_duration_seconds_count')).length, 2)
  assert.equal(before.get('shop_order_size_bucket{le="10"}'), 200)
  assert.equal(before.get('shop_open'), 4)
  assert.equal(before.get('shop_named_total'), 6)
  assert.equal(before.get('everycore_workers{state="ready"}'), 2)
  assert.ok([...before.keys()].every((name) => !name.includes('pid=')), 'no label has a pid')
  const { body: text, headers } = await ask(port, '/metrics')
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  assert.ok(!text.includes(secret), 'no secret is told')
  await t.test('promtool finds no fault', { skip: !CHECK && 'promtool is not installed (Debian: prometheus)' }, () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
    assert.deepEqual([status, stdout, stderr], [0, '', ''])
  })
  const open = await ask(port, '/metrics', { accept: 'application/openmetrics-text; version=1.0.0' })
  assert.match(open.headers['content-type'] ?? '', /^application\/openmetrics-text; version=1\.0\.0/)
  assert.match(open.body, /\n# EOF\n$/)

  process.kill(app.workerPids()[0] ?? -1, 'SIGKILL')
  await app.event('worker:ready', ({ slot }) => slot === 0, 2)
  let after = await scrape(port)
  assert.deepEqual(decreased(before, after), [])
  assert.equal(after.get('everycore_worker_restarts_total{reason="crash"}'), 1)

  for (let reloads = 1; reloads <= 5; reloads += 1) {
    before = after
    await get({ port: app.port })
    app.kill('SIGUSR2')
    await app.event('reload:finished', undefined, reloads)
    after = await scrape(port)
    assert.deepEqual(decreased(before, after), [], `after reload ${reloads}`)
  }
  assert.equal(orders(after), 205, 'each worker has told what it had counted before it left')
  assert.equal(after.get('everycore_reloads_total{result="finished"}'), 5)
  assert.equal(after.get('everycore_generation'), 6)
})

test('an ES module, a worker that hangs, and probes that it cannot fail', async (t) => {
  const { app, port } = await withMetrics(t, 'counts.cjs', {})
  await app.event('primary:started')
  await get({ port: app.port })
  await scrapeUntil(port, 'both workers report', (values) => orders(values) === 1 && values.get('everycore_worker_scrape_age_seconds{worker="1"}') === 0)
  const blocked = get({ port: app.port }, '/block')
  const stale = await scrapeUntil(port, 'one does not answer', (values) => [0, 1].some((slot) => (values.get(`everycore_worker_scrape_age_seconds{worker="${slot}"}`) ?? 0) > 0))
  assert.equal(orders(stale), 1, 'what it said last counts')
  assert.deepEqual(await Promise.all(['/livez', '/readyz', '/startupz'].map(async (path) => (await ask(port, path)).status)), [200, 200, 200])
  await blocked
  await scrapeUntil(port, 'it answers again', (values) => orders(values) === 2)
})

test('the registry of an ES module is found', async (t) => {
  const { app, port } = await withMetrics(t, 'counts.mjs', { workers: 1 })
  await app.event('primary:started')
  await get({ port: app.port })
  await scrapeUntil(port, 'it is told', (values) => values.get('shop_orders_total') === 1)
})

test('probes tell when the service starts, serves, and is about to stop', async (t) => {
  const { app, port } = await withMetrics(t, 'ready-on-request.cjs', { workers: 1, options: ['--wait-ready', '--drain-delay', '60s'] })
  await app.event('worker:listening')
  const [live, ready, startup] = await Promise.all(['/livez', '/readyz', '/startupz'].map(async (path) => ask(port, path)))
  assert.deepEqual([live?.status, ready?.status, startup?.status], [200, 503, 503])
  assert.deepEqual(JSON.parse(ready?.body ?? '{}'), { status: 'unavailable', reasons: [{ code: 'started', message: 'no worker has been ready yet' }, { code: 'workers', message: '0 of 1 workers are ready' }] })
  await get({ port: app.port }, '/ready')
  await app.event('primary:started')
  assert.equal((await ask(port, '/readyz')).body, 'ok\n')
  assert.equal((await ask(port, '/startupz')).status, 200)
  app.kill('SIGTERM')
  await app.event('primary:stopping')
  const stopping = await ask(port, '/readyz?verbose')
  assert.deepEqual([stopping.status, stopping.body], [503, '[+]started ok: a worker has been ready\n[-]stopping failed: a stop was asked for\n[+]workers ok: 1 of 1 workers are ready\nreadyz check failed\n'])
  assert.equal((await get({ port: app.port })).status, 200, 'the app serves on')
  assert.equal((await ask(port, '/livez')).status, 200)
})

test('nothing but what is there can be read, and nobody writes', async (t) => {
  const { app, port } = await withMetrics(t, 'counts.cjs', { workers: 1 })
  assert.equal((await ask(port, '/')).status, 404)
  assert.equal((await ask(port, '/metrics/../v1/status')).status, 404)
  assert.equal((await ask(port, '/livez', { host: 'evil.test' })).status, 403)
  const connection = await Connection.open({ port })
  assert.equal((await connection.request('/metrics', { method: 'POST', headers: LOCAL, body: 'x' })).status, 405)
  const bad = await Connection.open({ port })
  bad.socket.write(`GET /${'x'.repeat(40_000)} HTTP/1.1\r\n\r\n`)
  await bad.closed()
  for (const one of [connection, bad]) one.close()
  assert.equal((await ask(port, '/livez')).status, 200)
  await app.event('primary:started')
})

test('many clients that only hold connections keep no probe out', async (t) => {
  const { port } = await withMetrics(t, 'counts.cjs', { workers: 1 })
  const holding = []
  for (let count = 0; count < 80; count += 1) {
    const connection = await Connection.open({ port })
    holding.push(connection)
    await connection.request('/livez', { headers: LOCAL }).catch(() => {})
  }
  assert.equal((await ask(port, '/livez')).status, 200)
  for (const connection of holding) connection.close()
})

test('a port that is taken is told before anything is started', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { readonly port: number }
  const app = await App.start(t, 'counts.cjs', { options: ['--metrics', `127.0.0.1:${port}`] })
  assert.equal((await app.ended).code, 3)
  const told = JSON.stringify(app.records)
  assert.ok(told.includes(`metrics cannot be served on 127.0.0.1:${port}`), told)
  assert.ok(told.includes(`process ${process.pid} listens there`), told)
  assert.deepEqual(app.records.filter(({ event }) => event === 'worker:spawned'), [])
})

test('after an upgrade the new supervisor serves them at the same place', async (t) => {
  const port = await freePort()
  const app = await App.ready(t, 'counts.cjs', { workers: 1, options: ['--metrics', String(port)] })
  const started = (await scrape(port)).get('everycore_supervisor_start_time_seconds') ?? 0
  app.kill('SIGURG')
  const { successorPid } = await app.event('upgrade:finished')
  await until('the new one serves them', () => app.records.filter(({ metrics }) => metrics !== undefined).length === 2, 20_000)
  const values = await scrape(port)
  assert.equal(values.get('everycore_workers{state="ready"}'), 1)
  assert.ok((values.get('everycore_supervisor_start_time_seconds') ?? 0) > started)
  process.kill(Number(successorPid), 'SIGTERM')
  await app.ended
})
