/** Values of PM2 in the words of everycore. */
import { basename } from 'node:path'
import type { EverycoreError } from '../../base/errors.ts'
import { settingError } from '../problems.ts'
import { splitWords } from '../words.ts'

/** The keys of an app, by the names of the table. */
export type Pm2Values = Readonly<Record<string, unknown>>

/** Scripts that are no scripts for Node.js, and that people give to PM2. */
const RUNNERS = new Set(['npm', 'npx', 'yarn', 'pnpm', 'bun', 'bunx', 'bash', 'sh', 'python', 'python3', 'serve'])

/** A list as it is, a text in words. What is neither is left to whoever judges it. */
export function wordsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((word: unknown) => (typeof word === 'number' ? String(word) : word))
  return typeof value === 'string' ? (splitWords(value) ?? value) : value
}

/** PM2 takes objects as JSON. */
export function textsIn(env: Pm2Values): Pm2Values {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, typeof value === 'object' && value !== null ? JSON.stringify(value) : value]))
}

/** `node_args`, and what `interpreter` and `source_map_support` come to. */
export function nodeArgsOf({ node_args: given, interpreter, source_map_support: maps }: Pm2Values): readonly unknown[] {
  const words = wordsOf(given ?? [])
  return [
    ...(typeof interpreter === 'string' && basename(interpreter) === 'ts-node' ? ['--require', 'ts-node/register'] : []),
    ...(maps === true ? ['--enable-source-maps'] : []),
    ...(Array.isArray(words) ? (words as readonly unknown[]) : [words]),
  ]
}

/**
 * `instances` and `exec_mode`. Without a mode PM2 takes cluster if a number was given, else fork.
 *
 * @returns what the setting `workers` takes
 */
export function workersOf({ instances, exec_mode: mode }: Pm2Values): unknown {
  const isCluster = typeof mode === 'string' ? mode.startsWith('cluster') : instances !== undefined
  if (instances === undefined || (!isCluster && Number(instances) === 1)) return 1
  if (instances === 'max' || Number(instances) === 0) return 'auto'
  return typeof instances === 'string' || typeof instances === 'number' ? String(instances) : instances
}

/** Why this is nothing for everycore. */
export function scriptProblem({ script, interpreter }: Pm2Values, file: string): EverycoreError | undefined {
  if (typeof script !== 'string') return settingError(`an app in ${file} has no script`)
  if (RUNNERS.has(script)) {
    return settingError(`script of an app in ${file}: everycore runs Node.js scripts, and not ${script}`, 'Name the file that it runs: script: "dist/server.js", or "node_modules/next/dist/bin/next" with args: "start".')
  }
  if (interpreter === undefined || interpreter === '') return undefined
  const name = typeof interpreter === 'string' ? basename(interpreter).replace(/@.*$/, '') : typeof interpreter
  if (['node', 'nodejs', 'tsx', 'ts-node'].includes(name)) return undefined
  return settingError(`interpreter of ${script} (${file}): everycore runs Node.js, and not ${name}`, 'Leave this app to PM2 or to systemd.')
}
