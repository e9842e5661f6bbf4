/** `-d`: starts the command again in a session of its own, waits until its workers are ready, and says how to reach it. The other side is `detached.ts`. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdirSync, openSync, readSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { Readable } from 'node:stream'
import { EverycoreError } from '../base/errors.ts'
import { EXIT } from '../base/exit-codes.ts'
import { SETTINGS } from '../config/table.ts'
import type { Settings } from '../config/types.ts'
import { sanitize } from '../logs/sanitize.ts'
import { DETACHED_FD, DETACHED_VARIABLE, readWord, type DetachedWord } from './detached.ts'
import type { Streams } from './streams.ts'

/** Of the log of a start that failed. */
const LAST_LINES = 20
const LAST_BYTES = 16 * 1024
const [LOG_FILE_VARIABLE = ''] = SETTINGS.logFile.variables

/**
 * Gives 0 when the app runs, else the exit code of the start that failed.
 *
 * @param argv the command line without `-d`
 * @throws EverycoreError ERR_EVERYCORE_RUNTIME_DIR when there is no place for the log, ERR_EVERYCORE_PLATFORM when the command cannot be started again
 */
export async function runDetached(settings: Settings, argv: readonly string[], { stdout, stderr }: Streams): Promise<number> {
  const { logFiles } = settings
  const log = logFiles?.file ?? logPath(settings)
  const fd = open(log)
  const from = statSync(log).size
  const [, command = ''] = process.argv
  const child = spawn(process.execPath, [...process.execArgv, command, ...argv], {
    detached: true,
    stdio: ['ignore', fd, fd, 'pipe'],
    // By its path, so that it is rotated; what else the process writes to stderr goes there by its descriptor.
    env: { ...process.env, [DETACHED_VARIABLE]: '1', ...(logFiles === undefined && { [LOG_FILE_VARIABLE]: log }) },
  })
  closeSync(fd)
  const word = await firstWord(child)
  if (word !== undefined) {
    child.unref()
    stdout.write(`${greeting(word, log).join('\n')}\n`)
    return EXIT.ok
  }
  const code = await exitCodeOf(child)
  const lines = lastLines(log, from)
  stderr.write([`everycore: ${sanitize(settings.name, false)} did not start (exit code ${code})`, ...lines.map((line) => `  ${line}`), `  The log is ${log}`, ''].join('\n'))
  return code
}

function greeting({ name, pid, urls, size }: DetachedWord, log: string): readonly string[] {
  const workers = `${size} ${size === 1 ? 'worker' : 'workers'}`
  return [
    `${name} runs in the background: ${workers}, pid ${pid}`,
    ...(urls.length === 0 ? [] : [`  Listening  ${urls.join('  ')}`]),
    `  Log        ${log}`,
    `  Status     everycore status -n ${name}`,
    `  Stop       everycore stop -n ${name}`,
  ].map((line) => sanitize(line, false))
}

/** Where services keep what outlives them, else beside the control socket. */
function logPath({ name, runtimeDir }: Settings): string {
  const state = process.env['XDG_STATE_HOME']
  const directory = state !== undefined && isAbsolute(state) ? join(state, 'everycore') : runtimeDir
  if (directory === undefined) throw new EverycoreError('ERR_EVERYCORE_RUNTIME_DIR', 'there is no place for a log', { why: 'no runtime directory can be used, and XDG_STATE_HOME is not set', hint: 'Name a directory of your own: --runtime-dir.' })
  return join(directory, `${name}.log`)
}

/** Through no link that somebody else may have put there, and for nobody else to read. */
function open(path: string): number {
  try {
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
    return openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  } catch (cause) {
    throw new EverycoreError('ERR_EVERYCORE_RUNTIME_DIR', `the log ${path} cannot be written`, { why: cause instanceof Error ? cause.message : String(cause), hint: 'Set XDG_STATE_HOME or --runtime-dir to a directory of your own.', cause })
  }
}

/** Undefined when it ended without one. */
async function firstWord(child: ChildProcess): Promise<DetachedWord | undefined> {
  const channel = child.stdio[DETACHED_FD] as Readable
  let text = ''
  // A process that cannot be started closes the channel, too.
  child.on('error', () => {})
  for await (const chunk of channel.setEncoding('utf8')) text += String(chunk)
  return readWord(text)
}

async function exitCodeOf(child: ChildProcess): Promise<number> {
  if (child.pid === undefined) throw new EverycoreError('ERR_EVERYCORE_PLATFORM', 'the command cannot be started again', { why: child.spawnfile })
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? EXIT.failure
}

function lastLines(path: string, from: number): readonly string[] {
  const end = statSync(path).size
  const start = Math.max(from, end - LAST_BYTES)
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(end - start)
    const read = readSync(fd, bytes, 0, bytes.length, start)
    return bytes.toString('utf8', 0, read).trimEnd().split('\n').slice(-LAST_LINES).map((line) => sanitize(line, false))
  } finally {
    closeSync(fd)
  }
}
