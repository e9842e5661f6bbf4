/** The JSON Schema of config files, made from the table of settings. The build writes it to `dist/schema.json`. */
import { KINDS } from '../kinds.ts'
import { SETTING_KEYS, settingOf, type SettingKey } from '../table.ts'
import { BALANCES } from '../types.ts'

type Schema = Readonly<Record<string, unknown>>

const pattern = (regex: string): Schema => ({ type: 'string', pattern: regex })
const UNIT = '[mM][sS]|[sSmMhHdD]'
const DURATION_TEXT = pattern(String.raw`^\s*\d{1,15}(\.\d{1,9})? ?(${UNIT})\s*$`)
const duration = (minimum: number): Schema => ({ anyOf: [{ type: 'number', minimum, maximum: 2 ** 31 - 1 }, DURATION_TEXT] })
/** No timer has to hold it: up to ten years. */
const longDuration = (minimum: number): Schema => ({ anyOf: [{ type: 'number', minimum, maximum: 3650 * 24 * 3_600_000 }, DURATION_TEXT] })
const SIZE_TEXT = pattern(String.raw`^\s*\d{1,18}(\.\d{1,9})? ?([kKmMgGtT]([iI]?[bB])?|[bB])?\s*$`)
const size = (minimum: number): Schema => ({ type: 'integer', minimum })
const text = pattern(String.raw`^[^\u0000]+$`)
const word = pattern(String.raw`^[^\u0000]*$`)
const list = (items: Schema): Schema => ({ type: 'array', items })
const WORKERS = String.raw`([aA][uU][tT][oO]|[mM][aA][xX]|-?(?!0+(-|\s*$))\d{1,4}|(?!0+%)\d{1,4}%)`
const port = (minimum: number): Schema => ({ type: 'integer', minimum, maximum: 65_535 })
const urlPath = pattern('^/[!-~]{0,2000}$')

/**
 * What a value of each kind may be in JSON. Where the program itself must judge (addresses, the least of a duration with
 * a unit), the schema allows a little more.
 */
const KIND_SCHEMAS: Readonly<Record<keyof typeof KINDS, Schema>> = {
  workers: { anyOf: [{ type: 'integer', minimum: -1024, maximum: 1024, not: { const: 0 } }, pattern(String.raw`^\s*${WORKERS}(-${WORKERS})?\s*$`)] },
  port: port(0),
  inspectPort: port(1),
  metricsAddress: { anyOf: [port(0), pattern(String.raw`^\s*((\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]*):)?\d{1,5}\s*$`)] },
  name: pattern(String.raw`^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,64}$`),
  path: text,
  paths: list(text),
  words: list(word),
  duration: duration(0),
  urlPath,
  urlPaths: list(urlPath),
  surge: { anyOf: [{ type: 'integer', minimum: 1, maximum: 9999 }, pattern(String.raw`^[1-9]\d{0,3}%?$`)] },
  hangTimeout: { anyOf: [{ const: 0 }, duration(500)] },
  shrinkAfter: duration(1000),
  lifetime: duration(10_000),
  size: { anyOf: [size(16 * 1024 ** 2), SIZE_TEXT] },
  logSize: { anyOf: [{ const: 0 }, size(64 * 1024), SIZE_TEXT] },
  logBuffer: { anyOf: [{ const: 0 }, { ...size(256 * 1024), maximum: 256 * 1024 ** 2 }, SIZE_TEXT] },
  age: longDuration(0),
  rotateEvery: { anyOf: [{ const: 0 }, longDuration(60_000)] },
  keep: { type: 'integer', minimum: 0, maximum: 100 },
  spares: { type: 'integer', minimum: 0, maximum: 16 },
  count: { type: 'integer', minimum: 1 },
  signal: { enum: ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'] },
  flag: { type: 'boolean' },
  logFormat: { enum: ['pretty', 'json', 'raw'] },
  balance: { enum: BALANCES },
  sticky: pattern('^(ip|cookie|cookie:.+|header:.+)$'),
  addresses: list({ type: 'string', minLength: 1 }),
  factor: { type: 'number', minimum: 1, maximum: 100 },
  control: { anyOf: [{ type: 'boolean' }, pattern(String.raw`^\s*(on|true|yes|1|off|false|no|0|((localhost|127(\.\d{1,3}){3}|\[::1\]):)?\d{1,5})\s*$`)] },
  verbosity: { enum: ['quiet', 'normal', 'verbose'] },
  identity: { anyOf: [{ type: 'integer', minimum: 0, maximum: 2 ** 32 - 2 }, pattern(String.raw`^[a-zA-Z_][a-zA-Z0-9._-]{0,63}\$?$`)] },
}

/** @returns a schema of draft 2020-12 */
export function configSchema(): Schema {
  const properties = {
    script: { ...text, description: 'The script to run, relative to cwd.' },
    args: { ...list(word), description: 'Arguments for the script.' },
    env: {
      type: 'object',
      propertyNames: pattern(String.raw`^[^\u0000=]+$`),
      additionalProperties: { anyOf: [word, { type: ['number', 'boolean', 'null'] }] },
      description: 'Merged over the environment of the command; null removes a variable.',
    },
    ...Object.fromEntries(SETTING_KEYS.map((key) => [key, settingSchema(key)])),
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'everycore.config.json',
    $ref: '#/$defs/file',
    $defs: {
      app: { type: 'object', properties, additionalProperties: false },
      file: {
        type: 'object',
        properties: {
          $schema: { type: 'string' },
          apps: { type: 'array', minItems: 1, items: { $ref: '#/$defs/app' }, description: 'Several apps, one supervisor each. What stands beside apps holds for all.' },
          ...Object.fromEntries(Object.keys(properties).map((key) => [key, { $ref: `#/$defs/app/properties/${key}` }])),
        },
        additionalProperties: false,
        dependentSchemas: { apps: { properties: { name: false } } },
      },
    },
  }
}

function settingSchema(key: SettingKey): Schema {
  const { kind, flags, default: fallback } = settingOf(key)
  const name = (Object.keys(KINDS) as (keyof typeof KINDS)[]).find((candidate) => KINDS[candidate] === kind)
  const description = `${flags[0]?.help ?? ''} Default: ${fallback.text}.`
  return { ...(name !== undefined && KIND_SCHEMAS[name]), description }
}
