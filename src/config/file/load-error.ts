/** A config that throws: the file, the line and the cause, and nothing of our own stack. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { EverycoreError } from '../../base/errors.ts'

/** Node needs a fraction of a second to parse a file. */
const CHECK_TIMEOUT_MS = 10_000

/** @param file how to call it */
export function loadError(error: unknown, path: string, file: string): EverycoreError {
  const message = error instanceof Error ? `${error.name}: ${error.message.split('\n', 1)[0] ?? ''}` : `it threw ${typeof error === 'string' ? error : typeof error}`
  const place = placeOf(error, path)
  const hint = hintFor(error)
  return new EverycoreError('ERR_EVERYCORE_CONFIG', `cannot load ${file}`, {
    why: place === undefined ? message : `${message} (${place})`,
    ...(hint !== undefined && { hint }),
    cause: error,
  })
}

/** `path:line`, by the error; of a syntax error in an ES module only the parser itself can tell. */
function placeOf(error: unknown, path: string): string | undefined {
  if (!(error instanceof Error)) return undefined
  const text = `${error.message}\n${error.stack ?? ''}`
  return placeIn(text) ?? (error instanceof SyntaxError ? placeIn(check(path)) : undefined)
}

/** The first place in a file that is not a part of Node or of a package. */
function placeIn(text: string): string | undefined {
  for (const [, url, path = '', line] of text.matchAll(/(?:^|\(|at |async )(file:\/\/)?((?:[A-Za-z]:)?[\\/][^\n:()?]+)(?:\?[^\n:()]*)?:(\d+)/gm)) {
    if (path.includes('node_modules') || path.includes('/everycore/dist/')) continue
    return `${url === undefined ? path : fileURLToPath(`file://${path}`)}:${line}`
  }
  return undefined
}

function check(path: string): string {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: CHECK_TIMEOUT_MS, stdio: ['ignore', 'ignore', 'pipe'] })
  return stderr ?? ''
}

function hintFor(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error ? error.code : undefined
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return 'Node.js only removes types. Write it without, or npm install tsx (everycore uses it by itself).'
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return undefined
  return error.message.includes("'everycore'") ? 'npm install everycore, or export the object without defineConfig: it only adds types.' : 'Install it, or check the path.'
}
