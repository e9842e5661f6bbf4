import { dirname, join } from 'node:path'
import type { Host } from './host.ts'

/** The fields that we read of a package.json. */
export interface PackageJson {
  readonly name?: string
  readonly main?: string
  readonly type?: string
}

/** The package.json of a directory; undefined when there is none, or none that can be read. */
export function readPackageJson(directory: string, host: Host): PackageJson | undefined {
  try {
    const parsed: unknown = JSON.parse(host.readFile(join(directory, 'package.json')))
    if (typeof parsed !== 'object' || parsed === null) return undefined
    const { name, main, type } = parsed as { readonly name?: unknown; readonly main?: unknown; readonly type?: unknown }
    return { ...(typeof name === 'string' && { name }), ...(typeof main === 'string' && { main }), ...(typeof type === 'string' && { type }) }
  } catch {
    return undefined
  }
}

/** The name in the nearest package.json that has one, from a directory upwards. */
export function nearestPackageName(directory: string, host: Host): string | undefined {
  for (let current = directory; ; current = dirname(current)) {
    const name = readPackageJson(current, host)?.name
    if (name !== undefined && name !== '') return name
    if (dirname(current) === current) return undefined
  }
}
