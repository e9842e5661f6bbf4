/** The dependencies of the examples: installed once, whichever test file is first. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isAlive } from './processes.ts'
import { until } from './until.ts'

export const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url))

/** The clients of the examples stand in their node_modules and come without types of ours. */
export const requireHere = createRequire(EXAMPLES)

const LOCK = `${EXAMPLES}.installing`
const PATIENCE_MS = 180_000

/** Test files run beside each other: one installs, the others wait. */
export async function installExamples(): Promise<void> {
  await until('the examples are installed', () => {
    if (isInstalled()) return true
    if (!takeLock()) return false
    try {
      console.log('installing the dependencies of the examples: npm ci --prefix examples')
      npm('ci', '--prefix', EXAMPLES)
    } finally {
      rmSync(LOCK)
    }
    return true
  }, PATIENCE_MS)
}

export function npm(...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' })
  assert.equal(status, 0, `npm ${args.join(' ')}\n${stdout}${stderr}`)
}

function takeLock(): boolean {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    if (!isAlive(Number(readLock()))) rmSync(LOCK, { force: true })
    return false
  }
}

function readLock(): string {
  try {
    return readFileSync(LOCK, 'utf8')
  } catch {
    return ''
  }
}

/** npm writes its hidden lock file when it is done. */
function isInstalled(): boolean {
  return writtenAt('node_modules/.package-lock.json') >= writtenAt('package-lock.json')
}

function writtenAt(name: string): number {
  return statSync(`${EXAMPLES}${name}`, { throwIfNoEntry: false })?.mtimeMs ?? -1
}
