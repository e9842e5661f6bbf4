/** A copy of everycore with something left out, to see whether the harness notices. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scope } from '../app.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

export interface Breakage {
  /** Within `dist`. */
  readonly file: string
  readonly from: RegExp
  readonly to: string
}

/** Returns the path of its command. */
export function sabotaged(scope: Scope, { file, from, to }: Breakage): string {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-sabotage-'))
  scope.after(async () => rmSync(directory, { recursive: true, force: true }))
  cpSync(join(ROOT, 'dist'), join(directory, 'dist'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(directory, 'package.json'))
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  const path = join(directory, 'dist', file)
  const text = readFileSync(path, 'utf8')
  assert.equal(text.match(new RegExp(from, 'g'))?.length, 1, `dist/${file} has ${String(from)} once`)
  writeFileSync(path, text.replace(from, to))
  return join(directory, 'dist/cli.cjs')
}
