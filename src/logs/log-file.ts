/** One file that lines are appended to: how it is opened, and what it is called when it is rotated. */
import * as fs from 'node:fs'
import { lstat, mkdir, readdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** Owner writes, group reads: lines may hold what is nobody else's business. */
const FILE_MODE = 0o640
const DIRECTORY_MODE = 0o750

/** The most older files that may be kept. */
export const MAX_FILES = 100

/*
 * A symbolic link is not followed: whoever may write to the directory could have put it there. A pipe is not waited for
 * (and refused below). Windows knows none of these flags.
 */
const FLAGS = fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_CREAT | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0) | (fs.constants.O_NOCTTY ?? 0)

const openFd = promisify(fs.open)
export const statFd = promisify(fs.fstat)
export const closeFd = promisify(fs.close)
export const writeFd = promisify(fs.write)

/** An open log file. */
export interface LogFile {
  /** A number and no FileHandle: from Node 26 on it is an uncaught error when one of these is collected before it was closed. */
  readonly fd: number
  readonly dev: number
  readonly ino: number
  /** A device such as /dev/null has no size, and is not rotated. */
  readonly isDevice: boolean
  /** When its first line was written, as far as that is known, in ms since 1970. */
  bornMs: number
  /** Bytes. */
  size: number
}

/**
 * Opens a file to append to it. The last directory of the path is made when it is missing, those above are not: that
 * would hide a mistyped path.
 *
 * @throws an error of the system (EACCES, ELOOP for a symbolic link, ...), EINVAL where there is neither a file nor a device
 */
export async function openLogFile(path: string): Promise<LogFile> {
  // Whatever is wrong with it, open() says better.
  await mkdir(dirname(path), { mode: DIRECTORY_MODE }).catch(() => {})
  const fd = await openFd(path, FLAGS, FILE_MODE)
  try {
    const stat = await statFd(fd)
    if (!stat.isFile() && !stat.isCharacterDevice()) throw Object.assign(new Error('neither a file nor a device'), { code: 'EINVAL' })
    // Not every file system knows when a file was made.
    const bornMs = stat.birthtimeMs > 0 ? Math.min(stat.birthtimeMs, stat.mtimeMs) : stat.mtimeMs
    return { fd, dev: stat.dev, ino: stat.ino, isDevice: !stat.isFile(), bornMs, size: stat.isFile() ? stat.size : 0 }
  } catch (error) {
    await closeFd(fd)
    throw error
  }
}

/** The size of the file if the path still leads to it; undefined when there is another one, or none. */
export async function sizeIfSame(path: string, { dev, ino }: LogFile): Promise<number | undefined> {
  try {
    const stat = await lstat(path)
    return stat.dev === dev && stat.ino === ino ? stat.size : undefined
  } catch {
    return undefined
  }
}

/** What is kept of what was rotated. */
export interface Keep {
  /** So many older files: `app.log.1`, the newest, up to `app.log.<files>`. */
  readonly files: number
  /** Older files that were last written to so many ms ago are removed; 0: never. */
  readonly maxAgeMs: number
}

/** Makes room at the path: its file becomes `.1`, that becomes `.2`, and so on. @throws an error of the system; then the path is as it was */
export async function shiftFiles(path: string, { files }: Keep): Promise<void> {
  if (files === 0) {
    await unlink(path)
    return
  }
  for (let number = files - 1; number >= 1; number--) {
    // In their order, of which each depends on the one before.
    // oxlint-disable-next-line no-await-in-loop
    await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(ignoreMissing)
  }
  await rename(path, `${path}.1`)
}

/** Removes older files that are too old. Those that this setting never made, such as `app.log.2024`, and what cannot be removed, stay. */
export async function removeOld(path: string, { maxAgeMs }: Keep, nowMs: number): Promise<void> {
  if (maxAgeMs === 0) return
  const directory = dirname(path)
  const prefix = `${basename(path)}.`
  const names = await readdir(directory).catch((): string[] => [])
  const older = names.filter((name) => name.startsWith(prefix) && isNumber(name.slice(prefix.length))).map((name) => join(directory, name))
  await Promise.all(
    older.map(async (file) => {
      try {
        if ((await lstat(file)).mtimeMs < nowMs - maxAgeMs) await unlink(file)
      } catch {
        // It has gone already, or is not ours.
      }
    }),
  )
}

function isNumber(text: string): boolean {
  return /^[1-9]\d{0,2}$/.test(text) && Number(text) <= MAX_FILES
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
