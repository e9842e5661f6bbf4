/** The settings of log files, put together. */
import { resolve } from 'node:path'
import { baseOf, type Bases } from './bases.ts'
import type { Values } from './collect.ts'
import { settingError } from './problems.ts'
import type { LogFileSettings } from './types.ts'

/**
 * @returns undefined where output goes to stdout and stderr
 * @throws EverycoreError ERR_EVERYCORE_SETTING when there is an error file and no log file
 */
export function resolveLogFiles(values: Values, bases: Bases): LogFileSettings | undefined {
  const { value: file } = values.logFile
  const { value: errorFile, where } = values.errorFile
  if (file === undefined) {
    if (errorFile === undefined) return undefined
    throw settingError(`${where}: there is no log file`, 'Give --log-file too; without it all goes to stdout and stderr.')
  }
  return {
    file: resolve(baseOf(values.logFile.origin, bases), file),
    errorFile: errorFile === undefined ? undefined : resolve(baseOf(values.errorFile.origin, bases), errorFile),
    maxBytes: values.logMaxSize.value,
    everyMs: values.logRotateEveryMs.value,
    keep: values.logKeep.value,
    maxAgeMs: values.logMaxAgeMs.value,
  }
}
