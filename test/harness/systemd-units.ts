/** Unit files as systemd itself reads them: `systemd --test` loads units and prints what it has understood, without running anything. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GeneratedFile } from '../../src/generate/deployment.ts'

const MANAGER = '/lib/systemd/systemd'
/** It refuses to be tested by root. */
const AS_NOBODY = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []

/** What systemd has understood of a service. */
export interface ReadUnit {
  /** The words of ExecStart as the process gets them. */
  readonly command: readonly string[]
  /** Those of ExecReload. */
  readonly reload: readonly string[]
  /** Every `Name: value` that it prints, the first of each name. */
  readonly fields: ReadonlyMap<string, string>
  /** Paths that must be there, in order. */
  readonly mounts: readonly string[]
}

/** Writes units into a directory of their own that all can read; `use` gets it, and it is removed afterwards. */
export function withUnits<T>(units: readonly GeneratedFile[], use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-units-'))
  try {
    chmodSync(directory, 0o755)
    for (const { path, text } of units) writeFileSync(join(directory, path), text)
    return use(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What systemd reads in the first of these units. */
export function readBySystemd(units: readonly GeneratedFile[]): ReadUnit {
  const name = units[0]?.path ?? ''
  return withUnits(units, (directory) => {
    const [file, ...args] = [...AS_NOBODY, MANAGER, '--test', '--system', `--unit=${name}`]
    // Before the usual places, of which it needs the targets. It wants a home that it may look into.
    const { stdout, stderr } = spawnSync(file, args, { cwd: '/', encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: '/tmp', SYSTEMD_UNIT_PATH: `${directory}:` }, timeout: 30_000, maxBuffer: 64 * 2 ** 20 })
    const begin = stdout.indexOf(`-> Unit ${name}:`)
    assert.ok(begin !== -1, `systemd does not know ${name}\n${stdout.slice(0, 2000)}\n${stderr.slice(0, 2000)}`)
    const section = stdout.slice(begin).split(/\n\t-> Unit /)[0] ?? ''
    const lines = section.split('\n').map((line) => line.trim())
    const command = (setting: string): readonly string[] => wordsOf((lines[lines.indexOf(`-> ${setting}:`) + 1] ?? '').replace(/^Command Line: /, ''))
    const pairs = lines.flatMap((line) => (line.includes(': ') ? [[line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)] as const] : []))
    return {
      command: command('ExecStart'),
      reload: command('ExecReload'),
      fields: new Map(pairs.toReversed()),
      mounts: pairs.filter(([key]) => key === 'RequiresMountsFor').map(([, value]) => value.replace(/ \([^)]*\)$/, '')),
    }
  })
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\u0007', b: '\b', f: '\f', v: '\v' }

/** The words of a line that systemd has quoted for a shell; `$$` is still what a start makes `$` of. */
function wordsOf(line: string): readonly string[] {
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([^ ]+)/g)].map(([, quoted, plain]) => (quoted === undefined ? (plain ?? '') : unescape(quoted)))
  return words.map((word) => word.replaceAll('$$', '$'))
}

function unescape(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-f]{2})|([0-7]{3})|(.))/gs, (_, hex: string | undefined, octal: string | undefined, char: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
    return ESCAPES[char ?? ''] ?? char ?? ''
  })
}
