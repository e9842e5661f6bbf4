/** The hooks of `typescript.mjs`, and what fills their cache. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CACHE = fileURLToPath(new URL('../node_modules/.cache/everycore-typescript/', import.meta.url))
const OPTIONS = { loader: 'ts', format: 'esm', platform: 'node', target: 'node20', sourcemap: 'inline', sourcesContent: false }

/** @see https://nodejs.org/api/module.html#loadurl-context-nextload */
export function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context)
  return { format: 'module', shortCircuit: true, source: compiled(fileURLToPath(url)) }
}

/** JavaScript of a TypeScript file, from the cache if it is there. */
export function compiled(path) {
  const source = readFileSync(path, 'utf8')
  // The path stands in the source map.
  const kept = join(CACHE, `${createHash('sha256').update(`${path}\0${source}`).digest('hex').slice(0, 32)}.mjs`)
  try {
    return readFileSync(kept, 'utf8')
  } catch {
    const { transformSync } = createRequire(import.meta.url)('esbuild')
    const { code } = transformSync(source, { ...OPTIONS, sourcefile: path })
    // Under another name first: others may read it meanwhile.
    const temporary = `${kept}.${process.pid}`
    mkdirSync(CACHE, { recursive: true })
    writeFileSync(temporary, code)
    renameSync(temporary, kept)
    return code
  }
}
