import { basename, dirname, extname, sep } from 'node:path'
import type { Host } from './host.ts'
import { nearestPackageName } from './package-json.ts'

/**
 * The name of an app that nobody named: the name of its package, else of its script. It becomes part of
 * paths and of log lines, so characters that do not belong there are replaced.
 *
 * @param script absolute path. One below node_modules is a tool: then the package of `cwd` names the app.
 */
export function deriveName(script: string, cwd: string, host: Host): string {
  const isTool = script.includes(`${sep}node_modules${sep}`)
  const found = nearestPackageName(isTool ? cwd : dirname(script), host) ?? basename(script, extname(script))
  const clean = found.replaceAll(/[^a-zA-Z0-9._-]+/g, '-').replaceAll(/^[-.]+|[-.]+$/g, '').slice(0, 64)
  return clean === '' ? 'app' : clean
}
