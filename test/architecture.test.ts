/**
 * Who may import whom. The rooms are the folders of `src/`; the room `listen` has two halves that meet
 * only on the wire. `docs/architecture.md` says why.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('../src/', import.meta.url))

type Room = 'base' | 'core' | 'protocol' | 'config' | 'logs' | 'listen:primary' | 'listen:worker' | 'metrics' | 'worker' | 'control' | 'top' | 'primary' | 'generate' | 'cli' | 'index'

/** To each room what it may import besides itself; `types` marks what only types may come from. */
const MAY_IMPORT: Readonly<Record<Room, { readonly values: readonly Room[]; readonly types?: readonly Room[] }>> = {
  base: { values: [] },
  core: { values: ['base'] },
  protocol: { values: ['base'], types: ['core'] },
  config: { values: ['base'], types: ['core'] },
  logs: { values: ['base'] },
  metrics: { values: ['base'] },
  'listen:primary': { values: ['base', 'protocol'] },
  'listen:worker': { values: ['base', 'protocol'] },
  worker: { values: ['base', 'protocol', 'listen:worker'], types: ['core'] },
  control: { values: ['base', 'protocol'], types: ['logs'] },
  top: { values: ['base', 'protocol', 'logs'] },
  primary: { values: ['base', 'core', 'protocol', 'config', 'listen:primary', 'logs', 'metrics', 'control'] },
  generate: { values: ['base'], types: ['config'] },
  cli: { values: ['base', 'core', 'protocol', 'config', 'listen:primary', 'logs', 'metrics', 'control', 'top', 'primary', 'generate'] },
  index: { values: ['base', 'config', 'primary'], types: ['core', 'protocol'] },
}

/** Packages from outside, each in the one room that knows it. */
const PACKAGES: Readonly<Record<string, Room>> = { commander: 'cli', valibot: 'config', pino: 'logs', hono: 'control', '@hono/node-server': 'control', '@hono/node-server/utils/response': 'control', 'log-update': 'top', 'ansi-escapes': 'top', 'string-width': 'top' }

interface Import {
  readonly from: string
  /** A file of ours relative to `src/`, or the name of a package. */
  readonly to: string
  readonly isType: boolean
}

interface File {
  readonly path: string
  readonly text: string
}

const files: readonly File[] = readdirSync(SOURCE, { recursive: true })
  .map(String)
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(SOURCE, path), 'utf8') }))

const imports = files.flatMap(importsOf)
const own = imports.filter(({ to }) => to.endsWith('.ts'))

function importsOf({ path, text }: File): readonly Import[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '')
  const fixed = [...code.matchAll(/^(?:import|export)\s+(type\s+)?(?:([\w\s{},*$]*?)\s*from\s*)?'([^']+)'/gm)].map(([, type, names = '', to = '']) => {
    const specifiers = /\{([^}]*)\}/.exec(names)?.[1]?.split(',').map((name) => name.trim()).filter((name) => name !== '') ?? []
    const isType = type !== undefined || (specifiers.length > 0 && specifiers.every((name) => name.startsWith('type ')))
    return { from: path, to, isType }
  })
  const lazy = [...code.matchAll(/\bimport\('([^']+)'\)/g)].map(([, to = '']) => ({ from: path, to, isType: false }))
  return [...fixed, ...lazy].map((one) => ({ ...one, to: one.to.startsWith('.') ? normalize(join(dirname(path), one.to)).replaceAll('\\', '/') : one.to }))
}

function roomOf(path: string): Room {
  const [folder = ''] = path.split('/')
  if (folder === 'index.ts') return 'index'
  if (folder === 'listen') return path.startsWith('listen/primary/') ? 'listen:primary' : 'listen:worker'
  assert.ok(folder in MAY_IMPORT, `${path} is in no known room`)
  return folder as Room
}

function told({ from, to }: Import): string {
  return `${from} imports ${to}`
}

function isAllowed({ from, to, isType }: Import): boolean {
  const [here, there] = [roomOf(from), roomOf(to)]
  const { values, types = [] } = MAY_IMPORT[here]
  return here === there || values.includes(there) || (isType && types.includes(there))
}

test('every file is in a room, and imports only from where its room may', () => {
  const known = new Set(files.map(({ path }) => path))
  assert.deepEqual(own.filter(({ to }) => !known.has(to)).map(told), [], 'imports of files that are not there')
  assert.deepEqual(own.filter((one) => !isAllowed(one)).map(told), [])
})

test('the half in the supervisor and the half in the worker never import each other', () => {
  const supervisor = new Set<Room>(['primary', 'listen:primary', 'config', 'logs', 'metrics', 'control', 'top', 'cli'])
  const worker = new Set<Room>(['worker', 'listen:worker'])
  const crossing = own.filter(({ from, to }) => (supervisor.has(roomOf(from)) && worker.has(roomOf(to))) || (worker.has(roomOf(from)) && supervisor.has(roomOf(to))))
  assert.deepEqual(crossing.map(told), [])
})

test('nobody imports the room of the worker', () => {
  assert.deepEqual(own.filter(({ from, to }) => roomOf(to) === 'worker' && roomOf(from) !== 'worker').map(told), [])
})

test('nobody imports the command', () => {
  assert.deepEqual(own.filter(({ from, to }) => roomOf(to) === 'cli' && roomOf(from) !== 'cli').map(told), [])
})

test('the core knows no clock, no chance, no process and nothing of node', () => {
  const core = files.filter(({ path }) => roomOf(path) === 'core')
  assert.deepEqual(imports.filter(({ from, to }) => roomOf(from) === 'core' && !to.endsWith('.ts')).map(told), [])
  const impure = /\b(?:Date\.now|new Date|Math\.random|performance\.|process\.|setTimeout|setInterval|setImmediate|queueMicrotask|console\.|async |await )/
  assert.deepEqual(core.filter(({ text }) => impure.test(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''))).map(({ path }) => path), [])
})

test('what generates files asks nothing of the system', () => {
  assert.deepEqual(imports.filter(({ from, to }) => roomOf(from) === 'generate' && !to.endsWith('.ts')).map(told), [])
})

test('each package from outside is known to one room', () => {
  const outside = imports.filter(({ to }) => !to.endsWith('.ts') && !to.startsWith('node:'))
  assert.deepEqual(outside.filter(({ from, to }) => PACKAGES[to] !== roomOf(from)).map(told), [])
})

test('what a worker loads reaches no package from outside, by no path', () => {
  const reached = new Set(['worker/preload.ts', 'worker/hook.ts', 'worker/api.ts'])
  for (const path of reached) {
    for (const { from, to, isType } of imports) if (from === path && !isType && to.endsWith('.ts')) reached.add(to)
  }
  const outside = imports.filter(({ from, to, isType }) => reached.has(from) && !isType && !to.endsWith('.ts') && !to.startsWith('node:'))
  assert.deepEqual(outside.map(told), [])
  assert.ok(reached.size > 5, 'the walk has gone somewhere')
})

test('there is no cycle of imports', () => {
  assert.deepEqual(cycles(own.filter(({ isType }) => !isType)), [])
})

test('there is no cycle of types either', () => {
  assert.deepEqual(cycles(own), [])
})

function cycles(edges: readonly Import[]): readonly string[] {
  const next = new Map(files.map(({ path }) => [path, edges.filter(({ from }) => from === path).map(({ to }) => to)]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at !== -1) found.push([...trail.slice(at), path].join(' -> '))
    if (at !== -1 || done.has(path)) return
    for (const to of next.get(path) ?? []) visit(to, [...trail, path])
    done.add(path)
  }
  for (const { path } of files) visit(path, [])
  return found
}

test('no file has more than 300 lines, blank ones and comments not counted', () => {
  const long = files.flatMap(({ path, text }) => {
    const lines = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').split('\n').filter((line) => !/^\s*(?:\/\/.*)?$/.test(line)).length
    return lines > 300 ? [`${path}: ${lines}`] : []
  })
  assert.deepEqual(long, [])
})
