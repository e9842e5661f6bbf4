/** `everycore migrate pm2` */
import { readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { EverycoreError } from '../../base/errors.ts'
import { EXIT } from '../../base/exit-codes.ts'
import { namedConfig } from '../../config/file/find.ts'
import { isPm2File } from '../../config/file/names.ts'
import { readPm2File } from '../../config/file/read.ts'
import { nodeHost } from '../../config/host.ts'
import { writeMigrated } from '../../config/pm2/write.ts'
import { CONTROL_SCHEMA } from '../../protocol/control.ts'
import { isSet, printJson, type VerbCall } from './call.ts'
import { writeConfigFile } from './write-config.ts'

/** @throws EverycoreError ERR_EVERYCORE_USAGE, ERR_EVERYCORE_CONFIG, ERR_EVERYCORE_SETTING */
export async function runMigrate(call: VerbCall): Promise<number> {
  const [from, given] = call.args
  if (from !== 'pm2') throw new EverycoreError('ERR_EVERYCORE_USAGE', `cannot migrate from ${from}`, { hint: 'everycore migrate pm2 [file]' })
  const cwd = resolve()
  const path = given === undefined ? findPm2File(cwd) : namedConfig(given, cwd, nodeHost())
  const { file, apps } = await readPm2File(path, { mode: 'production', env: call.env, cwd, host: nodeHost() })
  const text = writeMigrated(apps, file)
  const notes = apps.flatMap(({ name, notes: own, problems }) => [...own.map((note) => `${name}: ${note}`), ...problems.map(({ message }) => message)])
  const written = isSet(call, 'write') ? writeConfigFile(dirname(path), text) : undefined
  if (isSet(call, 'json')) printJson(call, { schemaVersion: CONTROL_SCHEMA, from: file, file: written ?? null, config: text, notes })
  else if (written === undefined) call.streams.stdout.write(text)
  else call.streams.stdout.write([`wrote ${written}`, ...notes, ''].join('\n'))
  return EXIT.ok
}

function findPm2File(directory: string): string {
  const found = readdirSync(directory).filter(isPm2File)
  if (found.length === 1 && found[0] !== undefined) return join(directory, found[0])
  throw new EverycoreError('ERR_EVERYCORE_USAGE', found.length === 0 ? `there is no file of PM2 in ${directory}` : `several files of PM2 in ${directory}: ${found.join(', ')}`, { hint: 'Name it: everycore migrate pm2 ecosystem.config.js' })
}
