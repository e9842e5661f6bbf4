/**
 * `require()` that keeps the compiled code. Node's own `module.enableCompileCache` keeps only what is compiled
 * while a file is loaded, no function that runs later, and Node 20 has none.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'
import { shortHash } from './hash.ts'
import { removeUnusedCode } from './unused-code.ts'

/** By then all is compiled that a start needs, and V8 has not yet thrown away what it needs only once. */
const KEEP_AFTER_MS = 1000
const PARAMETERS = '(exports, require, module, __filename, __dirname)'

export interface CachedFile {
  /** A CommonJS file, and its own `require`. */
  readonly filename: string
  readonly require: NodeJS.Require
  /** What its content is known by: V8 itself compares only the length. And, where they differ, the flags of V8. */
  readonly version: string
  /** Private to us, because what is kept there is run; undefined: nothing is kept. */
  readonly directory: string | undefined
  /** The process ends soon: what is compiled by then is kept at its end. */
  readonly isShort?: boolean
}

/** Runs it, and returns its exports. */
export function loadCached({ filename, require, version, directory, isShort = false }: CachedFile): unknown {
  // V8 keeps the name of the file, too: in stacks it should not be that of another installation.
  const path = directory === undefined ? undefined : join(directory, `${version}-${process.version}-${process.arch}-${shortHash(filename)}`)
  const cachedData = path === undefined ? undefined : read(path)
  // In the first line, so that the lines of stacks are those of the file.
  const script = new Script(`(function ${PARAMETERS} {${readFileSync(filename, 'utf8')}\n})`, { filename, ...(cachedData !== undefined && { cachedData }) })
  if (path !== undefined && script.cachedDataRejected !== false) {
    const save = (): void => keep(path, script.createCachedData())
    if (isShort) process.once('exit', save)
    else setTimeout(save, KEEP_AFTER_MS).unref()
  }
  const module = { exports: {} }
  const run = script.runInThisContext() as (...given: unknown[]) => void
  run(module.exports, require, module, filename, dirname(filename))
  return module.exports
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** Under another name first: a process that starts meanwhile must not read a half. */
function keep(path: string, data: Buffer): void {
  try {
    const temporary = `${path}.${process.pid}`
    mkdirSync(dirname(path), { mode: 0o700, recursive: true })
    writeFileSync(temporary, data, { mode: 0o600 })
    renameSync(temporary, path)
    removeUnusedCode(dirname(path), Date.now())
  } catch {
    // The next start is slower, that is all.
  }
}
