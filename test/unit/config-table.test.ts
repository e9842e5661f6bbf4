import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { formatHelp } from '../../src/cli/help.ts'
import { GROUPS } from '../../src/config/setting.ts'
import { SETTING_KEYS, settingOf } from '../../src/config/table.ts'

const room = new URL('../../src/config/', import.meta.url)
const sources = readdirSync(room)
  .filter((file) => !['table.ts', 'options.ts'].includes(file))
  .map((file) => readFileSync(new URL(file, room), 'utf8'))
  .join('\n')
const help = formatHelp()

describe('every setting of the table', () => {
  for (const key of SETTING_KEYS) {
    const { flags, variables, default: fallback, group } = settingOf(key)

    it(`${key} is read`, () => assert.match(sources, new RegExp(String.raw`\bvalues\.${key}\b`)))

    it(`${key} stands in the help, with flags, variables and default`, () => {
      for (const flag of flags) assert.ok(help.includes(`--${flag.long}`), flag.long)
      for (const variable of variables) assert.ok(help.includes(variable), variable)
      assert.ok(help.replaceAll(/\s+/g, ' ').includes(`[default: ${fallback.text}]`))
      assert.ok(GROUPS.includes(group))
    })

    it(`${key} has a variable named after its flag, and a reason for its default`, () => {
      const names = [key, ...flags.map(({ long }) => long)].map((name) => `EVERYCORE_${name.replaceAll('-', '_').toUpperCase()}`)
      assert.ok(names.includes(variables[0] ?? ''), `${variables[0]} is one of ${names.join(', ')}`)
      assert.match(fallback.reason, /\.$/)
    })
  }

  it('has flags that no other setting has', () => {
    const all = SETTING_KEYS.flatMap((key) => settingOf(key).flags.flatMap(({ short, long }) => (short === undefined ? [long] : [short, long])))
    assert.equal(new Set([...all, 'h', 'help', 'V', 'version']).size, all.length + 4)
  })
})

describe('the help', () => {
  it('fits into 80 columns', () => assert.deepEqual(help.split('\n').filter((line) => line.length > 80), []))

  it('shows five examples before the options, and points to the exit codes', () => {
    const examples = /Examples:\n([\s\S]*?)\n\n/.exec(help)?.[1]
    assert.equal(examples?.split('\n').length, 5)
    assert.ok(help.indexOf('Examples:') < help.indexOf('--workers'))
    assert.ok(help.includes('everycore help exit-codes'))
  })
})
