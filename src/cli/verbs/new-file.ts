/** A file that is there whole, or not at all, and that only its owner can read. */
import { lstatSync, linkSync, renameSync, rmSync, statSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EverycoreError } from '../../base/errors.ts'

/** @throws EverycoreError ERR_EVERYCORE_USAGE when something has that name, or there is no such directory */
export function requireNew(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw new EverycoreError('ERR_EVERYCORE_USAGE', `${path} is there already`, { hint: 'Say another one with -o, or remove it.' })
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true) throw new EverycoreError('ERR_EVERYCORE_USAGE', `there is no directory ${dirname(path)}`)
}

/**
 * Writes it under another name, and gives it its own when all is written.
 *
 * @throws EverycoreError ERR_EVERYCORE_DIAGNOSIS when it cannot be written; what the chunks throw. Nothing is left then.
 */
export async function writeNew(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`)
  // O_EXCL follows no link, and takes nothing that others have put there.
  const file = await attempt(path, async () => open(temporary, 'wx', 0o600))
  try {
    await writeAll(path, file, chunks)
    await attempt(path, async () => publish(temporary, path))
  } finally {
    rmSync(temporary, { force: true })
  }
}

async function writeAll(path: string, file: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    // oxlint-disable-next-line no-await-in-loop
    for await (const chunk of chunks) await attempt(path, async () => file.writeFile(chunk))
    await attempt(path, async () => file.sync())
  } finally {
    await file.close()
  }
}

/** link(2) takes no name that is there. Some file systems have none. */
function publish(temporary: string, path: string): void {
  try {
    linkSync(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error
    requireNew(path)
    renameSync(temporary, path)
  }
}

async function attempt<T>(path: string, action: () => Promise<T> | T): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof EverycoreError) throw error
    throw new EverycoreError('ERR_EVERYCORE_DIAGNOSIS', `${path} cannot be written`, { why: (error as Error).message, cause: error })
  }
}
