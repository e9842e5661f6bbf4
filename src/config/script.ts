import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { EverycoreError } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import type { Host } from './host.ts'
import { readPackageJson } from './package-json.ts'
import { errnoOf } from './problems.ts'
import { resolveAsNode } from './resolve-file.ts'

/** Where servers stand when nobody says so: first what builds write, then what people write. */
const USUAL_SCRIPTS = ['dist/server', 'dist/index', 'dist/main', 'build/index', 'build/server', 'server', 'app', 'index', 'main'] as const
const SCRIPT_EXTENSIONS = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'] as const
const NEXT_STANDALONE = '.next/standalone/server.js'

/** Files that node would load as something else, or fail over in a way that does not say what is wrong. */
const NO_SCRIPTS = new Set(['.json', '.html', '.css', '.md', '.txt', '.sh', '.py', '.rb', '.php', '.yml', '.yaml', '.toml'])

/**
 * The script as an absolute path: the given one, resolved as node does, else the first of the usual ones.
 * A symbolic link is kept: a reload must see where it points then.
 *
 * @throws EverycoreError ERR_EVERYCORE_SCRIPT, ERR_EVERYCORE_NO_SCRIPT
 */
export function findScript(given: string | undefined, cwd: string, host: Host): string {
  if (given === undefined) return discoverScript(cwd, host)
  const path = given.endsWith('/') ? `${resolve(cwd, given)}/` : resolve(cwd, given)
  const found = resolveAsNode(path, host)
  if (found === undefined) throw missing(given, path, host)
  checkScript(found, given, host)
  return found
}

function discoverScript(cwd: string, host: Host): string {
  const main = readPackageJson(cwd, host)?.main
  const candidates = USUAL_SCRIPTS.flatMap((name) => SCRIPT_EXTENSIONS.map((extension) => name + extension))
  const found =
    (main === undefined ? undefined : resolveAsNode(resolve(cwd, main), host)) ??
    [...candidates, NEXT_STANDALONE].map((name) => join(cwd, name)).find((path) => host.stat(path)?.kind === 'file')
  if (found === undefined) throw nothingFound(cwd, main)
  checkScript(found, relative(cwd, found), host)
  return found
}

function nothingFound(cwd: string, main: string | undefined): EverycoreError {
  const named = main === undefined ? 'main in package.json' : `main in package.json (${main}, which does not exist)`
  const usual = USUAL_SCRIPTS.map((name) => `${name}.js`).join(', ')
  return new EverycoreError('ERR_EVERYCORE_NO_SCRIPT', `no script given, and none found in ${cwd}`, {
    why: `Looked for ${named}, ${usual}, the same with .mjs, .cjs, .ts, .mts and .cts, and ${NEXT_STANDALONE}.`,
    hint: 'Name the script: everycore server.js. If it has yet to be built, build it first.',
  })
}

function missing(given: string, path: string, host: Host): EverycoreError {
  if (host.stat(path)?.kind === 'directory') {
    return new EverycoreError('ERR_EVERYCORE_SCRIPT', `cannot run ${given}: it is a directory without an entry`, {
      why: `${path} has neither an index.js nor a package.json whose main exists.`,
      hint: `Name the file: everycore ${join(given, 'server.js')}.`,
    })
  }
  const code = readErrno(path, host)
  const denied = code === 'EACCES' || code === 'EPERM'
  const meant = nearest(basename(path), host.list(dirname(path)))
  return new EverycoreError('ERR_EVERYCORE_SCRIPT', `cannot ${denied ? 'read' : 'find'} ${given}`, {
    why: denied ? `Permission denied for ${path}.` : `There is no ${path}.`,
    hint: meant === undefined ? 'Check the path and the directory (--cwd).' : `Did you mean ${join(dirname(given), meant)}?`,
  })
}

function checkScript(path: string, given: string, host: Host): void {
  let text: string
  try {
    text = host.readFile(path)
  } catch (error) {
    throw new EverycoreError('ERR_EVERYCORE_SCRIPT', `cannot read ${given}`, { why: `${errnoOf(error)} for ${path}.`, hint: 'Check the permissions of the file and of the user.', cause: error })
  }
  const interpreter = /^#!([^\r\n]*)/.exec(text)?.[1]
  const isForeign = interpreter !== undefined && !/node|tsx|bun|deno/.test(interpreter)
  if (!isForeign && !NO_SCRIPTS.has(extname(path).toLowerCase())) return
  throw new EverycoreError('ERR_EVERYCORE_SCRIPT', `cannot run ${given}: it is not JavaScript`, {
    why: isForeign ? `Its first line asks for ${interpreter.trim()}.` : `Node.js runs no ${extname(path)} files.`,
    hint: 'Name the JavaScript or TypeScript file that starts the server.',
  })
}

function readErrno(path: string, host: Host): string | undefined {
  try {
    host.readFile(path)
    return undefined
  } catch (error) {
    return errnoOf(error)
  }
}
