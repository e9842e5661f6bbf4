/** Metrics over OTLP, by the official exporter, to a collector that only listens. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App, fixture } from '../harness/app.ts'
import { get } from '../harness/http.ts'
import { until } from '../harness/until.ts'

interface Point {
  readonly asDouble?: number
  readonly count?: number | string
  readonly bucketCounts?: readonly (number | string)[]
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string; readonly intValue?: number } }[]
}

interface Metric {
  readonly name: string
  readonly unit: string
  readonly sum?: { readonly isMonotonic: boolean; readonly dataPoints: readonly Point[] }
  readonly gauge?: { readonly dataPoints: readonly Point[] }
  readonly histogram?: { readonly dataPoints: readonly Point[] }
}

interface Export {
  readonly resourceMetrics: readonly { readonly resource: { readonly attributes: Point['attributes'] }; readonly scopeMetrics: readonly { readonly scope: { readonly name: string }; readonly metrics: readonly Metric[] }[] }[]
}

interface Received {
  readonly path: string | undefined
  readonly body: Export
  readonly key: unknown
}

async function collector(t: TestContext): Promise<{ readonly url: string; readonly received: readonly Received[] }> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ path: request.url, body: JSON.parse(Buffer.concat(chunks).toString()) as Export, key: request.headers['x-key'] })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

test('all metrics are sent, with the names of OpenTelemetry, and once more at the end', async (t) => {
  const { url, received } = await collector(t)
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=CANARY', OTEL_METRIC_EXPORT_INTERVAL: '1000', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test%20one,nonsense' }
  const app = await App.ready(t, 'counts.cjs', { workers: 1, env, options: ['--name', 'shop'] })
  await get({ port: app.port })
  const find = (name: string): Metric | undefined => received.at(-1)?.body.resourceMetrics[0]?.scopeMetrics[0]?.metrics.find((metric) => metric.name === name)
  await until('the request has been told', () => find('http.server.request.duration') !== undefined && find('shop_orders') !== undefined, 20_000)
  const duration = find('http.server.request.duration')
  const [point] = duration?.histogram?.dataPoints ?? []
  assert.deepEqual([duration?.unit, Number(point?.count), point?.bucketCounts?.length], ['s', 1, 15])
  assert.deepEqual(point?.attributes, [{ key: 'http.request.method', value: { stringValue: 'GET' } }, { key: 'http.response.status_code', value: { intValue: 200 } }])
  assert.equal(find('shop_orders')?.sum?.isMonotonic, true)
  assert.equal(find('shop_open')?.gauge?.dataPoints[0]?.asDouble, 2)
  const [first] = received
  assert.equal(first?.path, '/v1/metrics')
  assert.equal(first.key, 'CANARY')
  const attributes = first.body.resourceMetrics[0]?.resource.attributes.map(({ key, value }) => [key, value.stringValue]) ?? []
  assert.equal(Object.fromEntries(attributes)['service.name'], 'shop')
  assert.equal(Object.fromEntries(attributes)['deployment.environment.name'], 'test one')
  const before = received.length
  assert.equal((await app.stop()).code, 0)
  assert.ok(received.length > before, 'what was counted last')
  assert.ok(!app.transcript.includes('CANARY'))
})

test('an exporter that is missing, or an endpoint that is dead, is told, and nothing else happens', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const script = join(directory, 'app.cjs')
  copyFileSync(fixture('counts.mjs').replace('counts.mjs', 'many-ports.cjs'), script)
  const env = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://user:CANARY@127.0.0.1:9/v1/metrics', OTEL_METRIC_EXPORT_INTERVAL: '1000', OTEL_EXPORTER_OTLP_TIMEOUT: '300' }
  const missing = await App.start(t, script, { env, workers: 1 })
  await missing.record('what to install', ({ msg }) => msg.includes('npm install @opentelemetry/exporter-metrics-otlp-http'))
  const dead = await App.ready(t, 'counts.cjs', { env, workers: 1 })
  await dead.record('that it fails', ({ msg }) => msg.startsWith('metrics cannot be sent'))
  assert.equal((await dead.stop()).code, 0)
  assert.ok(!dead.transcript.includes('CANARY'))
})
