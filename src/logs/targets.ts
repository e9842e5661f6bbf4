/** Where the lines go: to stdout and stderr, or to files. */
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { EverycoreError } from '../base/errors.ts'
import { FileOutlet, type FileTrouble } from './file-outlet.ts'
import { codeOf, createOutlet, fileDescriptor, sameTarget, type Outlet } from './outlet.ts'
import { Sink, type SinkEvent } from './sink.ts'
import type { LogFiles, StreamName } from './types.ts'

export interface TargetOptions {
  readonly stdout: Writable
  readonly stderr: Writable
  /** Undefined: the two streams. */
  readonly files?: LogFiles | undefined
  /** Wall clock in milliseconds. */
  readonly now: () => number
  readonly maxBufferedBytes?: number | undefined
  readonly onEvent: (event: SinkEvent) => void
  readonly onTrouble: (path: string, trouble: FileTrouble) => void
}

/** The sinks of both streams; one and the same when they lead to the same place. */
export interface Targets {
  readonly sinks: Readonly<Record<StreamName, Sink>>
  /** Stderr of this process when the lines go to files, for what must be seen although they cannot be written. */
  readonly aside: Sink | undefined
  /** Opens the files anew. */
  readonly reopen: () => void
}

/** @throws EverycoreError ERR_EVERYCORE_LOG_FILE when a file cannot be opened */
export async function openTargets({ stdout, stderr, files, now, maxBufferedBytes, onEvent, onTrouble }: TargetOptions): Promise<Targets> {
  const open = (name: string, outlet: Outlet, tell = onEvent): Sink => new Sink({ name, outlet, now, onEvent: tell, ...(maxBufferedBytes !== undefined && { maxBufferedBytes }) })
  if (files === undefined) {
    const out = open('stdout', createOutlet(stdout))
    // One sink for one place keeps the order of lines between the two streams.
    return { sinks: { stdout: out, stderr: sameTarget(stdout, stderr) ? out : open('stderr', createOutlet(stderr)) }, aside: undefined, reopen: () => {} }
  }
  const rotation = { maxBytes: files.maxBytes, everyMs: files.everyMs, files: files.keep, maxAgeMs: files.maxAgeMs }
  const outlet = async (path: string): Promise<FileOutlet> => {
    try {
      return await FileOutlet.open({ path, rotation, now, onTrouble: (trouble) => onTrouble(path, trouble) })
    } catch (error) {
      throw cannotOpen(path, codeOf(error), error)
    }
  }
  const { file, errorFile = file } = files
  const one = await outlet(file)
  const other = errorFile === file ? one : await outlet(errorFile)
  const out = open(file, one)
  const stderrFd = fileDescriptor(stderr)
  // With -d the file is stderr, too: nothing should stand in it twice.
  const isStderr = stderrFd !== undefined && (one.isOpenAs(stderrFd) || other.isOpenAs(stderrFd))
  return {
    sinks: { stdout: out, stderr: other === one ? out : open(errorFile, other) },
    // Of its own fate there is nobody to be told.
    aside: isStderr ? undefined : open('stderr', createOutlet(stderr), () => {}),
    reopen() {
      one.reopen()
      if (other !== one) other.reopen()
    },
  }
}

/** Why a log file cannot be opened, by the code of the system. */
const REASONS: Readonly<Record<string, { readonly why: (path: string) => string; readonly hint: string }>> = {
  ELOOP: { why: () => 'it is a symbolic link', hint: 'name the file itself; to have the lines on stdout, leave out the option' },
  EISDIR: { why: () => 'it is a directory', hint: 'name a file in it' },
  EINVAL: { why: () => 'it is neither a file nor a device', hint: 'name a file' },
  ENXIO: { why: () => 'it is neither a file nor a device', hint: 'name a file' },
  ENOENT: { why: (path) => `${dirname(dirname(path))} does not exist`, hint: 'make the directory' },
  ENOTDIR: { why: (path) => `${dirname(path)} is not a directory`, hint: 'name a file in a directory' },
  EACCES: { why: () => 'this user may not write to it (EACCES)', hint: 'give the user of everycore the right to write to the file and its directory' },
}

function cannotOpen(path: string, code: string, cause: unknown): EverycoreError {
  const { why, hint } = REASONS[code] ?? { why: () => code, hint: 'check the path and the file system' }
  return new EverycoreError('ERR_EVERYCORE_LOG_FILE', `the log file ${path} cannot be opened`, { why: why(path), hint, cause })
}
