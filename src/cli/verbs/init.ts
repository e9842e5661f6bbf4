/** `everycore init` */
import { resolve } from 'node:path'
import { EXIT } from '../../base/exit-codes.ts'
import { commentedConfig } from '../../config/file/commented.ts'
import { isSet, printJson, type VerbCall } from './call.ts'
import { CONTROL_SCHEMA } from '../../protocol/control.ts'
import { writeConfigFile } from './write-config.ts'

/** @throws EverycoreError ERR_EVERYCORE_USAGE when there is a config */
export async function runInit(call: VerbCall): Promise<number> {
  const path = writeConfigFile(resolve(), commentedConfig())
  if (isSet(call, 'json')) printJson(call, { schemaVersion: CONTROL_SCHEMA, file: path })
  else call.streams.stdout.write(`wrote ${path}\n`)
  return EXIT.ok
}
