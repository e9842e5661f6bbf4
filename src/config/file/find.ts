import { dirname, join, resolve } from 'node:path'
import { EverycoreError } from '../../base/errors.ts'
import { nearest } from '../../base/nearest.ts'
import type { Host } from '../host.ts'
import { CONFIG_NAMES } from './names.ts'

/**
 * The config file that holds for a directory: in it or above it, up to the root of the package (the first
 * directory with a package.json or .git). Asks the system for a few names, and reads package.json files.
 *
 * @returns an absolute path; that of a package.json only if it has a key `everycore`.
 * @throws EverycoreError ERR_EVERYCORE_CONFIG when there are two in one directory.
 */
export function findConfig(from: string, host: Host): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    const manifest = readText(join(directory, 'package.json'), host)
    const names = CONFIG_NAMES.filter((name) => host.stat(join(directory, name))?.kind === 'file')
    const found = manifest !== undefined && hasKey(manifest) ? [...names, 'package.json'] : names
    if (found.length > 1) throw twoFiles(directory, found)
    if (found[0] !== undefined) return join(directory, found[0])
    if (manifest !== undefined || host.stat(join(directory, '.git')) !== undefined || dirname(directory) === directory) return undefined
  }
}

/**
 * The file that was named, as an absolute path.
 *
 * @throws EverycoreError ERR_EVERYCORE_CONFIG when it is not there.
 */
export function namedConfig(given: string, cwd: string, host: Host): string {
  const path = resolve(cwd, given)
  const kind = host.stat(path)?.kind
  if (kind === 'file' || kind === 'other') return path
  const meant = nearest(path, host.list(dirname(path)).map((name) => join(dirname(path), name)))
  throw new EverycoreError('ERR_EVERYCORE_CONFIG', `cannot read the config file ${given}`, {
    why: kind === 'directory' ? `${path} is a directory.` : `There is no ${path}.`,
    hint: meant === undefined ? 'Check the path.' : `Did you mean ${meant}?`,
  })
}

function twoFiles(directory: string, [first = '', ...others]: readonly string[]): EverycoreError {
  return new EverycoreError('ERR_EVERYCORE_CONFIG', `two config files in ${directory}: ${[first, ...others].join(', ')}`, {
    hint: `Keep one, or name one: --config ${first}`,
  })
}

function readText(path: string, host: Host): string | undefined {
  try {
    return host.readFile(path)
  } catch {
    return undefined
  }
}

/** Only a file that mentions it is worth parsing: most do as a dependency, or not at all. */
function hasKey(manifest: string): boolean {
  if (!manifest.includes('"everycore"')) return false
  try {
    const parsed: unknown = JSON.parse(manifest)
    return typeof parsed === 'object' && parsed !== null && Object.hasOwn(parsed, 'everycore')
  } catch {
    return false
  }
}
