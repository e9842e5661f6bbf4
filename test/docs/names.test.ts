/** The manual may only name what exists: options, variables, error codes, events, npm scripts, files to run. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ERROR_CODES } from '../../src/base/errors.ts'
import { DETACH } from '../../src/cli/argv.ts'
import { flagsOf, VERB_NAMES, verbOf } from '../../src/cli/verbs.ts'
import { METHOD_NAMES, methodOf } from '../../src/control/methods.ts'
import { SETTING_KEYS, settingOf } from '../../src/config/table.ts'
import { codeOf, manual, page, pages, ROOT, type Page } from './markdown.ts'

/** Options that are not ours, and what they belong to. */
const FOREIGN_FLAGS: Readonly<Record<string, string>> = {
  '--import': 'node',
  '--require': 'node',
  '--inspect-brk': 'node',
  '--inspect-wait': 'node',
  '--max-old-space-size': 'node',
  '--enable-source-maps': 'node',
  '--init': 'docker run',
  '--property': 'systemctl',
  '--value': 'systemctl',
  '--pdeathsig': 'setpriv',
  '--deny-warnings': 'oxlint',
  '--type-aware': 'oxlint',
  '--test-name-pattern': 'node --test',
  '--test': 'node',
  '--help': 'commander',
  '--version': 'commander',
  '--format': 'oxlint',
  '--smoke': 'bench/run.mjs',
  '--trace-sigint': 'node',
  '--report-on-signal': 'node',
  '--unix-socket': 'curl',
  '--no-buffer': 'curl',
}

/** Variables of everycore that are no settings. */
const OTHER_VARIABLES = ['EVERYCORE_RUNS', 'EVERYCORE_DEEPER', 'EVERYCORE_SLOT', 'EVERYCORE_GENERATION', 'EVERYCORE_BOOT', 'EVERYCORE_WORKER', 'EVERYCORE_UPGRADE', 'EVERYCORE_DETACHED']

const FLAGS = new Set([...SETTING_KEYS.flatMap((key) => settingOf(key).flags), ...VERB_NAMES.flatMap(flagsOf), DETACH].map(({ long }) => `--${long}`))
const VARIABLES = new Set([...SETTING_KEYS.flatMap((key) => settingOf(key).variables), ...OTHER_VARIABLES])

function matches(from: Page, pattern: RegExp): readonly string[] {
  return codeOf(from).flatMap((code) => [...code.matchAll(pattern)].map(([, name = '']) => name))
}

function unknownIn(pattern: RegExp, isKnown: (name: string) => boolean, among = manual()): readonly string[] {
  return among.flatMap((each) => matches(each, pattern).filter((name) => !isKnown(name)).map((name) => `${each.path}: ${name}`))
}

test('every option that the manual names exists', () => {
  assert.deepEqual(unknownIn(/(?<![\w-])(--[a-z][a-z-]+)/g, (flag) => FLAGS.has(flag) || flag in FOREIGN_FLAGS), [])
})

test('every EVERYCORE_ variable that the manual names exists', () => {
  assert.deepEqual(unknownIn(/(?<!ERR_)\b(EVERYCORE_[A-Z_]*[A-Z])\b/g, (name) => VARIABLES.has(name)), [])
})

test('every error code that the manual names exists', () => {
  assert.deepEqual(unknownIn(/\b(ERR_EVERYCORE_[A-Z_]+)\b/g, (code) => code in ERROR_CODES), [])
})

test('every event that the manual names exists, and docs/library.md names every event', () => {
  const source = [join(ROOT, 'src/primary/events.ts')].map((path) => readFileSync(path, 'utf8')).join('\n')
  const events = new Set([...source.matchAll(/^ {2}'([a-z]+:[a-z-]+)':/gm)].map(([, name = '']) => name))
  const pattern = /\b((?:primary|worker|reload|restart|upgrade|scale):[a-z-]+)\b/g
  assert.deepEqual(unknownIn(pattern, (name) => events.has(name)), [])
  const named = new Set(matches(page('docs/library.md'), pattern))
  assert.deepEqual([...events].filter((name) => !named.has(name)), [])
})

test('every verb that the manual names exists', () => {
  assert.deepEqual(unknownIn(/^everycore ([a-z]+)(?![\w.:/-])/gm, (word) => word === 'start' || word === 'help' || verbOf(word) !== undefined), [])
})

test('every method that the manual names exists', () => {
  const known = new Set<string>(METHOD_NAMES.map((name) => methodOf(name).path))
  assert.deepEqual(unknownIn(/(\/v1\/[a-z/]+[a-z])/g, (path) => known.has(path)), [])
})

test('every npm script that a page names is in package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> }
  const short = new Set(['start', 'test', 'stop', 'restart'])
  const unknown = unknownIn(/\bnpm (?:run (?:-s )?)?([a-z][a-z:-]*)/g, (name) => name in scripts || (!short.has(name) && ['ci', 'install', 'audit', 'run'].includes(name)), ownPages())
  assert.deepEqual(unknown, [])
})

test('every script that a page runs is there', () => {
  const unknown = unknownIn(/\bnode ((?:scripts|bench)\/[\w./-]+\.mjs)\b/g, (path) => existsSync(join(ROOT, path)), ownPages())
  assert.deepEqual(unknown, [])
})

test('every bench that a page names is there', () => {
  const unknown = unknownIn(/\bnpm run bench -- ([a-z][a-z-]*)/g, (name) => existsSync(join(ROOT, `bench/${name}.mjs`)), ownPages())
  assert.deepEqual(unknown, [])
})

/** Without the pages of examples, which are packages of their own. */
function ownPages(): readonly Page[] {
  return pages().filter(({ path }) => !path.startsWith('examples/'))
}
