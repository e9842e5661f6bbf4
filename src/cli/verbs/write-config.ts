import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EverycoreError } from '../../base/errors.ts'
import { findConfig } from '../../config/file/find.ts'
import { nodeHost } from '../../config/host.ts'

/** An ES module by its name, whatever the package says. */
const NAME = 'everycore.config.mjs'

/**
 * Writes a new config file.
 *
 * @returns its path
 * @throws EverycoreError ERR_EVERYCORE_USAGE when one holds for the directory already, or it cannot be written
 */
export function writeConfigFile(directory: string, text: string): string {
  const found = findConfig(directory, nodeHost())
  if (found !== undefined) throw new EverycoreError('ERR_EVERYCORE_USAGE', `there is a config file: ${found}`, { hint: 'Nothing is overwritten. Move it away first.' })
  const path = join(directory, NAME)
  try {
    writeFileSync(path, text, { flag: 'wx' })
  } catch (cause) {
    throw new EverycoreError('ERR_EVERYCORE_USAGE', `cannot write ${path}`, { why: cause instanceof Error ? cause.message : String(cause), cause })
  }
  return path
}
