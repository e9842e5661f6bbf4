import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { EverycoreError } from '../base/errors.ts'
import type { Environment } from './collect.ts'
import type { Host } from './host.ts'
import { errnoOf } from './problems.ts'

/**
 * The variables of the files together; of two files with the same variable the later one wins.
 *
 * @throws EverycoreError ERR_EVERYCORE_ENV_FILE. It names the line, never its text: that may be a secret.
 */
export function readEnvFiles(files: readonly string[], cwd: string, host: Host): Environment {
  const variables = new Map(files.flatMap((file) => Object.entries(readEnvFile(file, cwd, host))))
  return Object.fromEntries(variables)
}

function readEnvFile(file: string, cwd: string, host: Host): NodeJS.Dict<string> {
  const path = resolve(cwd, file)
  const text = readText(file, path, host)
  const line = firstBadLine(text)
  if (line !== undefined) {
    throw new EverycoreError('ERR_EVERYCORE_ENV_FILE', `cannot parse env file ${file}: line ${line} is not KEY=VALUE`, {
      hint: 'A line is KEY=VALUE, empty, or a comment that starts with #.',
    })
  }
  return parseEnv(text)
}

function readText(file: string, path: string, host: Host): string {
  try {
    return host.readFile(path).replace(/^\uFEFF/, '')
  } catch (error) {
    const code = errnoOf(error)
    const whys: Readonly<Record<string, string>> = {
      ENOENT: `There is no ${path}.`,
      EISDIR: `${path} is a directory.`,
      EACCES: `Permission denied for ${path}.`,
    }
    throw new EverycoreError('ERR_EVERYCORE_ENV_FILE', `cannot read env file ${file}`, {
      why: whys[code] ?? `${code} for ${path}.`,
      hint: 'Check the path, which is relative to --cwd.',
      cause: error,
    })
  }
}

/** Number of the first line that `parseEnv` would skip without a word. Quoted values may span lines. */
function firstBadLine(text: string): number | undefined {
  const lines = text.split(/\r?\n/)
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? ''
    if (/^\s*(?:#|$)/.test(line)) continue
    const match = /^\s*(?:export\s+)?[^\s=#"'`]+\s*=\s*(?:(["'`])(.*))?/.exec(line)
    if (match === null) return index + 1
    const [, quote, rest = ''] = match
    if (quote === undefined || rest.includes(quote)) continue
    // Without a closing quote further down, node takes the quote as a character of a one-line value.
    let closing = index + 1
    while (closing < lines.length && lines[closing]?.includes(quote) === false) closing += 1
    if (closing < lines.length) index = closing
  }
  return undefined
}
