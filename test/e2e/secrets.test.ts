/**
 * Values of the environment and arguments of the app are told to nobody. What the tables of verbs and methods have is
 * asked, so what comes into them later is asked too.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { verb as verbOfTable, VERB_NAMES, type VerbName } from '../../src/cli/verbs.ts'
import { METHOD_NAMES, methodOf, type MethodName } from '../../src/control/methods.ts'
import { App, type StartOptions } from '../harness/app.ts'
import { runtimeDir, startVerb, type VerbEnd } from '../harness/verb.ts'

const CANARY = `CANARY${randomBytes(8).toString('hex')}`

/** Where secrets stand. */
const SECRETS: Pick<StartOptions, 'env' | 'args'> = {
  env: { DATABASE_URL: `postgres://shop:${CANARY}@db/shop`, API_TOKEN: CANARY, PASSWORD: CANARY },
  args: [`--password=${CANARY}`, '--token', CANARY, `https://user:${CANARY}@example.org`],
}

/** What stands for an argument that a verb needs, by its name. */
const ARGUMENTS: Readonly<Record<string, string>> = { slot: '0', size: '2', kind: 'cpu', shell: 'bash', target: 'systemd', platform: 'systemd', format: 'systemd', what: 'pm2', from: 'pm2', tool: 'pm2', file: 'none.json', topic: 'status', key: 'name' }
/** More that some need to come to an end, or to answer at all. */
const MORE: Partial<Record<string, readonly string[]>> = { profile: ['-s', '1'], scale: [], inspect: [] }
/** Of these, too, with a worker that shows more. */
const BESIDES: readonly (readonly string[])[] = [['profile', 'heap', '0'], ['profile', 'heap', '0', '--sampling', '-s', '1'], ['inspect', '0', '--close'], ['status', 'nobody'], ['status', '--no-such-flag'], ['scale', 'many'], ['reload', '--abort'], ['doctor', 'shop']]
/** They end what the others ask. */
const LAST: readonly string[] = ['stop']

const BODIES: Partial<Record<MethodName, object>> = { scale: { size: 2 }, inspect: { slot: 0 }, closeInspector: { slot: 0 }, estimateHeap: { slot: 0 }, profile: { slot: 0, kind: 'cpu', seconds: 1 } }
/** A verb that goes on for ever is interrupted. */
const LONGEST_MS = 15_000
/** What a stream tells in this time. */
const LISTEN_MS = 700

function linesOf(name: VerbName): readonly (readonly string[])[] {
  const { args } = verbOfTable(name)
  const words = args.filter(({ isOptional }) => !isOptional).map(({ name: argument, choices }) => ARGUMENTS[argument] ?? choices?.[0] ?? 'none')
  const line = [name, ...words, ...(MORE[name] ?? [])]
  return [line, [...line, '--json']]
}

/** One that does not end by itself is ended when it has said something. */
async function run(directory: string, files: string, line: readonly string[]): Promise<VerbEnd> {
  const output = line[0] === 'profile' ? ['-o', join(files, randomBytes(6).toString('hex'))] : []
  const running = startVerb(directory, ...line, ...output)
  if (line[0] === 'inspect' && !line.includes('--close')) {
    await running.says(/\n/)
    running.interrupt()
  }
  const timer = setTimeout(() => running.interrupt(), LONGEST_MS)
  const ended = await running.ended
  clearTimeout(timer)
  return ended
}

async function ask(socketPath: string, name: MethodName, accept: string): Promise<string> {
  const { verb: method, path } = methodOf(name)
  const body = method === 'POST' ? JSON.stringify(BODIES[name] ?? {}) : ''
  const asked = request({ socketPath, method, path, headers: { host: 'localhost', accept, ...(body !== '' && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }) }, agent: false })
  asked.on('error', () => {})
  asked.end(body)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  let text = JSON.stringify(response.headers)
  response.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  response.on('error', () => {})
  const isStream = response.headers['content-type'] === 'text/event-stream'
  const timer = setTimeout(() => response.destroy(), isStream ? LISTEN_MS : 10_000)
  await once(response, 'close')
  clearTimeout(timer)
  return text
}

async function inTurn<T, R>(items: readonly T[], action: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  // oxlint-disable-next-line no-await-in-loop
  for (const item of items) results.push(await action(item))
  return results
}

/** Every file of ours, with its name. */
function filesIn(directory: string): string {
  return readdirSync(directory, { recursive: true })
    .map((name) => join(directory, String(name)))
    .map((path) => `${path}\n${statSync(path).isFile() ? readFileSync(path, 'latin1') : ''}`)
    .join('\n')
}

function assertSilent(where: string, text: string): void {
  const at = text.indexOf(CANARY)
  assert.equal(at, -1, `${where} tells a secret: ${text.slice(Math.max(0, at - 200), at + 50)}`)
}

test('no verb, method, log line or file tells a secret of the app', async (t) => {
  const directory = runtimeDir(t)
  const files = join(directory, '..', `everycore-files-${process.pid}`)
  mkdirSync(files)
  t.after(() => rmSync(files, { recursive: true }))
  const app = await App.ready(t, 'web.cjs', { ...SECRETS, options: ['--runtime-dir', directory, '-n', 'shop', '--min-uptime', '100ms'] })
  await app.event('control:opened')
  const socketPath = join(directory, 'shop.sock')
  const names = VERB_NAMES.filter((name) => !LAST.includes(name))
  // One after the other: what some change, others tell.
  for (const lines of [...names.map(linesOf), BESIDES]) {
    // Of these there is one at a time.
    const isAlone = lines !== BESIDES && ['inspect', 'profile'].includes(lines[0]?.[0] ?? '')
    // oxlint-disable-next-line no-await-in-loop
    const ended = isAlone ? await inTurn(lines, async (line) => run(directory, files, line)) : await Promise.all(lines.map(async (line) => run(directory, files, line)))
    for (const [index, { out, err }] of ended.entries()) {
      assert.notEqual(out + err, '', `${lines[index]?.join(' ')} has said something`)
      assertSilent(String(lines[index]?.join(' ')), out + err)
    }
  }
  for (const name of METHOD_NAMES.filter((one) => one !== 'stop')) {
    // oxlint-disable-next-line no-await-in-loop
    for (const text of await Promise.all([ask(socketPath, name, 'application/json'), ask(socketPath, name, 'text/event-stream')])) assertSilent(name, text)
  }
  // A worker that dies, and one that takes a port that is taken.
  const other = await App.start(t, 'web.cjs', { ...SECRETS, env: { ...SECRETS.env, PORT: String(app.port) }, options: ['--runtime-dir', directory, '-n', 'other'] })
  await other.ended
  assertSilent('a start that fails', JSON.stringify(other.records))
  assertSilent('the files', filesIn(directory))
  const stopped = await run(directory, files, ['stop'])
  assertSilent('stop', stopped.out + stopped.err)
  await app.ended
  assertSilent('the log', JSON.stringify(app.records))
  assertSilent('what is left', filesIn(directory))
})
