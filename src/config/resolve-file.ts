import { join } from 'node:path'
import type { Host } from './host.ts'
import { readPackageJson } from './package-json.ts'

/** What node tries after the exact name, in its order. */
const EXTENSIONS = ['.js', '.json', '.node'] as const

/**
 * The file that `node <path>` would run: the path itself, else with an extension, else what its
 * package.json calls main, else its index.
 *
 * @see https://nodejs.org/api/modules.html#all-together LOAD_AS_FILE and LOAD_AS_DIRECTORY
 */
export function resolveAsNode(path: string, host: Host): string | undefined {
  const isDirectoryOnly = path.endsWith('/')
  return (isDirectoryOnly ? undefined : asFile(path, host)) ?? asDirectory(path, host)
}

function asFile(path: string, host: Host): string | undefined {
  if (isFile(path, host)) return path
  return withExtension(path, host)
}

function asDirectory(path: string, host: Host): string | undefined {
  if (host.stat(path)?.kind !== 'directory') return undefined
  const main = readPackageJson(path, host)?.main
  if (main !== undefined && main !== '') {
    const target = join(path, main)
    const found = asFile(target, host) ?? withExtension(join(target, 'index'), host)
    if (found !== undefined) return found
  }
  return withExtension(join(path, 'index'), host)
}

function withExtension(path: string, host: Host): string | undefined {
  return EXTENSIONS.map((extension) => path + extension).find((candidate) => isFile(candidate, host))
}

/** True for everything that can be read as a file, also a pipe. */
function isFile(path: string, host: Host): boolean {
  const kind = host.stat(path)?.kind
  return kind === 'file' || kind === 'other'
}
