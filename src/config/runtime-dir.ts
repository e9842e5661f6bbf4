import { dirname, isAbsolute, join, resolve } from 'node:path'
import { EverycoreError } from '../base/errors.ts'
import type { Environment } from './collect.ts'
import type { Host } from './host.ts'
import { errnoOf } from './problems.ts'

/** Name of the directory in it that node keeps compiled code in. */
export const COMPILE_CACHE = 'compile-cache'

/** The directory, or why there is none. */
export interface RuntimeDir {
  readonly path: string | undefined
  readonly warnings: readonly string[]
}

/**
 * The directory that was asked for, made if it is missing.
 *
 * @param path absolute.
 * @throws EverycoreError ERR_EVERYCORE_RUNTIME_DIR when others could write to it or we cannot.
 */
export function explicitRuntimeDir(path: string, host: Host): string {
  const flaw = prepare(path, host)
  if (flaw === undefined) return path
  throw new EverycoreError('ERR_EVERYCORE_RUNTIME_DIR', `cannot use the runtime directory ${path}`, { why: flaw, hint: `Name one that is yours alone: mkdir -m 700 ${path}, or another path.` })
}

/** The first usable of the places that a system gives to a service. Without one everycore runs on, with less. */
export function implicitRuntimeDir(env: Environment, host: Host): RuntimeDir {
  const flaws: string[] = []
  for (const path of candidates(env, host)) {
    const flaw = prepare(path, host)
    if (flaw === undefined) return { path, warnings: [] }
    flaws.push(`${path}: ${flaw}`)
  }
  return { path: undefined, warnings: [`No runtime directory can be used, so nothing outlives this run. ${flaws.join(' ')}`] }
}

/** The first of the same places that is there and good. Makes nothing. */
export function existingRuntimeDir(env: Environment, host: Host): string | undefined {
  return candidates(env, host).find((path) => flawOf(path, host) === undefined)
}

/** All of them: apps may have been started with other variables. */
export function runtimeDirs(env: Environment, host: Host): readonly string[] {
  return [...new Set(candidates(env, host))].filter((path) => flawOf(path, host) === undefined)
}

/** What is wrong with one of the places; undefined where it can be used. */
export interface RuntimeDirFlaw {
  readonly path: string
  readonly flaw: string | undefined
  /** It is made at the first start. */
  readonly isMissing: boolean
}

/** The place that was named, or all that a system gives, judged. Makes nothing. */
export function runtimeDirFlaws(env: Environment, host: Host): readonly RuntimeDirFlaw[] {
  const given = env['EVERYCORE_RUNTIME_DIR']?.trim() ?? ''
  return (given === '' ? candidates(env, host) : [resolve(given)]).map((path) => {
    const isMissing = host.lstat(path) === undefined
    const flaw = isMissing ? (host.isWritable(nearestThere(path, host)) ? undefined : 'It cannot be made.') : flawOf(path, host)
    return { path, flaw, isMissing }
  })
}

function nearestThere(path: string, host: Host): string {
  return host.lstat(path) !== undefined || dirname(path) === path ? path : nearestThere(dirname(path), host)
}

function candidates(env: Environment, host: Host): readonly string[] {
  const given = env['RUNTIME_DIRECTORY']?.split(':', 1)[0]
  const session = env['XDG_RUNTIME_DIR']
  return [
    ...(given !== undefined && isAbsolute(given) ? [realPath(given, host)] : []),
    // sudo can leave us the directory of the user who called it: what is made there, he can replace.
    ...(session !== undefined && isAbsolute(session) && isOurs(session, host) ? [join(session, 'everycore')] : []),
    ...(host.euid === 0 ? ['/run/everycore'] : []),
    join(host.tmpdir, `everycore-${host.euid ?? 'user'}`),
  ]
}

/** With DynamicUser= systemd hands out a symbolic link, which it made itself. */
function realPath(path: string, host: Host): string {
  try {
    return host.realPath(path)
  } catch {
    return path
  }
}

function isOurs(path: string, host: Host): boolean {
  return host.euid === undefined || host.stat(path)?.uid === host.euid
}

/** Makes the directory if it is missing and says what is wrong with it. */
function prepare(path: string, host: Host): string | undefined {
  try {
    makeMissing(path, host)
  } catch (error) {
    return `It cannot be made (${errnoOf(error)}).`
  }
  return flawOf(path, host)
}

/** What is wrong with it, looking at the entry itself and not through a link. */
function flawOf(path: string, host: Host): string | undefined {
  const facts = host.lstat(path)
  if (facts === undefined) return 'It cannot be reached.'
  if (facts.kind === 'symlink') return 'It is a symbolic link.'
  if (facts.kind !== 'directory') return 'It is not a directory.'
  if (host.euid !== undefined && facts.uid !== host.euid) return `It belongs to user ${facts.uid} and not to us (${host.euid}).`
  if (host.platform !== 'win32' && (facts.mode & 0o022) !== 0) return `Others can write to it (mode ${facts.mode.toString(8)}).`
  return host.isWritable(path) ? undefined : 'It is not writable.'
}

function makeMissing(path: string, host: Host): void {
  if (host.lstat(path) !== undefined) return
  if (dirname(path) !== path) makeMissing(dirname(path), host)
  try {
    host.makeDirectory(path, 0o700)
  } catch (error) {
    // Somebody else was faster; whether it is good is judged afterwards.
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}
