/** The settings of log files, put together. */
import { resolve } from 'node:path'
import type { Values } from './collect.ts'
import { settingError } from './problems.ts'
import type { LogFileSettings } from './types.ts'

/**
 * @param cwd what paths are relative to
 * @returns undefined where output goes to stdout and stderr
 * @throws EverycoreError ERR_EVERYCORE_SETTING when there is an error file and no log file
 */
export function resolveLogFiles(values: Values, cwd: string): LogFileSettings | undefined {
  const { value: file } = values.logFile
  const { value: errorFile, where } = values.errorFile
  if (file === undefined) {
    if (errorFile === undefined) return undefined
    throw settingError(`${where}: there is no log file`, 'Give --log-file too; without it all goes to stdout and stderr.')
  }
  return {
    file: resolve(cwd, file),
    errorFile: errorFile === undefined ? undefined : resolve(cwd, errorFile),
    maxBytes: values.logMaxSize.value,
    everyMs: values.logRotateEveryMs.value,
    keep: values.logKeep.value,
    maxAgeMs: values.logMaxAgeMs.value,
  }
}
