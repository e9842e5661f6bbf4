import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { EverycoreError } from '../base/errors.ts'
import type { Host } from './host.ts'

/** Packages that teach node TypeScript when they are preloaded. */
const LOADER = /(?:^|[\\/@=])(?:tsx|ts-node|swc-node|jiti|oxc-node|esbuild-register|sucrase|swc|amaro)(?:[\\/@.]|$)/
const NODE_STRIPS = /^--experimental-(?:strip-types|transform-types)$/

/** What {@link typescriptArgs} looks at. */
export interface TypescriptInput {
  /** Absolute path of the script. */
  readonly script: string
  readonly nodeArgs: readonly string[]
  /** NODE_OPTIONS in words. */
  readonly nodeOptions: readonly string[]
}

/**
 * Arguments for node that make a TypeScript script run: none for JavaScript, none when the operator chose a
 * loader, `--import tsx` when the project has tsx, none when this node removes types itself.
 *
 * @throws EverycoreError ERR_EVERYCORE_SCRIPT when nothing can run it.
 */
export function typescriptArgs({ script, nodeArgs, nodeOptions }: TypescriptInput, host: Host): readonly string[] {
  const extension = extname(script)
  if (!['.ts', '.mts', '.cts', '.tsx'].includes(extension)) return []
  const given = [...nodeArgs, ...nodeOptions]
  if (given.some((arg) => LOADER.test(arg))) return []
  const tsx = host.resolvePackage('tsx', script)
  if (tsx !== undefined) return ['--import', pathToFileURL(tsx).href]
  // Node removes types, but knows no JSX.
  const isStrippable = extension !== '.tsx'
  if (isStrippable && (host.stripsTypes || given.some((arg) => NODE_STRIPS.test(arg)))) return []
  const cure = 'npm install tsx (everycore uses it by itself)'
  throw new EverycoreError('ERR_EVERYCORE_SCRIPT', `cannot run ${script}: nothing here runs ${extension} files`, {
    hint: isStrippable ? `${cure}, or use Node.js 22.18 or later.` : `${cure}.`,
  })
}
