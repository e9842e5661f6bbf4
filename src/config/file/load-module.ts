/** The value of a config that is a program. It is read anew each time: a reload must see what has changed. */
import { createRequire } from 'node:module'
import { dirname, extname, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { EverycoreError } from '../../base/errors.ts'
import type { Host } from '../host.ts'
import { readPackageJson } from '../package-json.ts'
import { loadError } from './load-error.ts'

/**
 * Loads a module and gives its default export, or `module.exports`.
 *
 * @param path absolute
 * @param file how to call it
 * @throws EverycoreError ERR_EVERYCORE_CONFIG
 */
export async function loadModule(path: string, file: string, host: Host): Promise<unknown> {
  forgetLoaded(path)
  try {
    return defaultOf(await evaluate(path, file, host))
  } catch (error) {
    throw error instanceof EverycoreError ? error : loadError(error, path, file)
  }
}

async function evaluate(path: string, file: string, host: Host): Promise<unknown> {
  const isTypescript = /^\.[mc]?ts$/.test(extname(path))
  // Of a CommonJS module that is imported a second time, Node gives an empty object where it passes on another's exports.
  if (isCommonJs(path, host)) return createRequire(path)(path) as unknown
  if (!isTypescript) return importFresh(path)
  if (!host.stripsTypes) return loadWithTsx(path, file, host)
  try {
    return await importFresh(path)
  } catch (error) {
    const needsMore = error instanceof Error && 'code' in error && error.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
    if (needsMore && host.resolvePackage('tsx/cjs/api', path) !== undefined) return loadWithTsx(path, file, host)
    throw error
  }
}

function isCommonJs(path: string, host: Host): boolean {
  const extension = extname(path)
  if (extension !== '.js') return extension === '.cjs'
  return !isModulePackage(dirname(path), host) && !/^\s*(?:export\b|import\b(?!\s*\())/m.test(host.readFile(path))
}

/** By the nearest package.json. @see https://nodejs.org/api/packages.html#determining-module-system */
function isModulePackage(directory: string, host: Host): boolean {
  for (let current = directory; ; current = dirname(current)) {
    const manifest = readPackageJson(current, host)
    if (manifest !== undefined) return manifest.type === 'module'
    if (dirname(current) === current) return false
  }
}

async function importFresh(path: string): Promise<unknown> {
  const url = pathToFileURL(path)
  // Node keeps a module by its URL for as long as the process lives; so is what it imports, if it is an ES module.
  url.searchParams.set('read', String(process.hrtime.bigint()))
  const { importModule } = await import('./import-module.ts')
  return importModule(url.href)
}

interface Tsx {
  readonly require: (path: string, from: string) => unknown
}

/**
 * With the project's tsx, by its interface for CommonJS: that for ES modules leaves a thread and a process of esbuild
 * behind, which a supervisor would have for weeks.
 */
async function loadWithTsx(path: string, file: string, host: Host): Promise<unknown> {
  const api = host.resolvePackage('tsx/cjs/api', path)
  if (api === undefined) {
    throw new EverycoreError('ERR_EVERYCORE_CONFIG', `cannot load ${file}: nothing here runs ${extname(path)} files`, {
      hint: 'npm install tsx (everycore uses it by itself), or use Node.js 22.18 or later. Or rename it to everycore.config.mjs.',
    })
  }
  const require = createRequire(api)
  try {
    return (require(api) as Tsx).require(path, path)
  } finally {
    await stopEsbuild(require)
  }
}

/** The compiler that tsx has started. */
async function stopEsbuild(require: NodeJS.Require): Promise<void> {
  try {
    await (require('esbuild') as { readonly stop: () => void | Promise<void> }).stop()
  } catch {
    // Another tsx, without it.
  }
}

/** CommonJS keeps modules by their path: the config, and what it has loaded of the project. */
function forgetLoaded(path: string): void {
  const { cache } = createRequire(path)
  const project = dirname(path) + sep
  const modules = `${sep}node_modules${sep}`
  for (const loaded of Object.keys(cache)) if (loaded.startsWith(project) && !loaded.slice(project.length - 1).includes(modules)) delete cache[loaded]
}

/** `module.exports` arrives as the default; that of a compiler has the real default inside. */
function defaultOf(module: unknown): unknown {
  if (!isObject(module)) return module
  const value = Object.hasOwn(module, 'default') ? module['default'] : module
  return isObject(value) && value['__esModule'] === true ? value['default'] : value
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
