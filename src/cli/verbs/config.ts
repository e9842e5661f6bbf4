/** `everycore config` */
import { EXIT } from '../../base/exit-codes.ts'
import { addedVariables, configDocument, effectiveSettings } from '../../config/effective.ts'
import { configSchema } from '../../config/file/schema.ts'
import { masked } from '../../config/masked.ts'
import type { Settings } from '../../config/types.ts'
import { CONTROL_SCHEMA } from '../../protocol/control.ts'
import { isSet, printJson, type VerbCall } from './call.ts'
import { plan } from './settings.ts'

/** @throws EverycoreError with all that is wrong */
export async function runConfig(call: VerbCall): Promise<number> {
  if (isSet(call, 'schema')) {
    call.streams.stdout.write(`${JSON.stringify(configSchema(), undefined, 2)}\n`)
    return EXIT.ok
  }
  const { file, apps } = await plan(call)
  if (isSet(call, 'json')) {
    printJson(call, { schemaVersion: CONTROL_SCHEMA, file: file ?? null, apps: apps.map((app) => configDocument(app, call.env)) })
    return EXIT.ok
  }
  call.streams.stdout.write([file ?? 'no config file', ...apps.flatMap((app) => ['', ...asLines(app, call)]), ''].join('\n'))
  return EXIT.ok
}

function asLines(app: Settings, { env, color }: VerbCall): readonly string[] {
  const { name, launch, warnings, sizing } = app
  const rows = effectiveSettings(app).map(({ key, value, origin, from }) => ({ cells: [key, value, from ?? origin], isDefault: origin === 'default' }))
  const head = { cells: ['setting', 'value', 'from'], isDefault: false }
  const [first, second] = [0, 1].map((column) => Math.min(48, Math.max(...[head, ...rows].map(({ cells }) => cells[column]?.length ?? 0))))
  const line = ({ cells: [key = '', value = '', from = ''], isDefault }: typeof head): string => {
    const text = `  ${key.padEnd(first ?? 0)}  ${value.padEnd(second ?? 0)}  ${from}`.trimEnd()
    return color && isDefault ? `\u001B[2m${text}\u001B[22m` : text
  }
  const variables = addedVariables(app, env)
  return [
    `${name}: ${[launch.script, ...masked(launch.args)].join(' ')}`,
    line(head),
    ...rows.map(line),
    ...(variables.length === 0 ? [] : [`  variables that differ from those here: ${variables.join(', ')}`]),
    ...[...warnings, ...sizing.warnings].map((warning) => `  warning: ${warning}`),
  ]
}
