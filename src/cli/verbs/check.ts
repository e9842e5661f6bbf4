/** `everycore check` */
import { spawnSync } from 'node:child_process'
import { extname } from 'node:path'
import { EverycoreError } from '../../base/errors.ts'
import { EXIT } from '../../base/exit-codes.ts'
import { Problems } from '../../config/problems.ts'
import type { Settings } from '../../config/types.ts'
import { CONTROL_SCHEMA } from '../../protocol/control.ts'
import { isSet, printJson, type VerbCall } from './call.ts'
import { plan } from './settings.ts'

const PARSE_TIMEOUT_MS = 30_000

/** @throws EverycoreError with all that is wrong */
export async function runCheck(call: VerbCall): Promise<number> {
  const { file, apps } = await plan(call)
  const problems = new Problems()
  for (const { launch } of apps) problems.attempt(() => parseScript(launch))
  if (!problems.none) throw problems.toError()
  const warnings = apps.flatMap((app) => [...app.warnings, ...app.sizing.warnings])
  if (isSet(call, 'json')) {
    printJson(call, { schemaVersion: CONTROL_SCHEMA, ok: true, file: file ?? null, apps: apps.map(({ name, launch, sizing }) => ({ name, script: launch.script, size: sizing.size })), warnings })
    return EXIT.ok
  }
  const lines = apps.map(({ name, launch, sizing }) => `${name}: ${launch.script}, ${sizing.size} ${sizing.size === 1 ? 'worker' : 'workers'}`)
  call.streams.stdout.write([`${file ?? 'no config file'}: nothing is wrong`, ...lines, ...warnings.map((warning) => `warning: ${warning}`), ''].join('\n'))
  return EXIT.ok
}

/** What Node.js itself says of the syntax. It cannot check TypeScript. @throws EverycoreError ERR_EVERYCORE_LOAD */
function parseScript({ script, nodeArgs, cwd }: Settings['launch']): void {
  if (!['.js', '.cjs', '.mjs'].includes(extname(script)) || nodeArgs.some((arg) => /loader|import|require|^-r$/.test(arg))) return
  const { status, stderr } = spawnSync(process.execPath, ['--check', script], { cwd, encoding: 'utf8', timeout: PARSE_TIMEOUT_MS, stdio: ['ignore', 'ignore', 'pipe'] })
  if (status === 0) return
  const place = stderr.split('\n', 1)[0] ?? script
  const cause = /^\w*Error: .*/m.exec(stderr)?.[0] ?? 'Node.js could not check it'
  throw new EverycoreError('ERR_EVERYCORE_LOAD', `cannot load ${script}`, { why: `${cause} (${place})` })
}
