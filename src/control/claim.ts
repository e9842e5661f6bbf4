/**
 * A name for a listening socket. It is bound under a name of its own, closed to others from its first moment, and then
 * linked to the one that it is to have: link(2) takes no name that is there. So two supervisors cannot have one name,
 * and nobody ever finds a name without a socket.
 */
import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs'
import { createConnection, type Server } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { socketPath } from './socket-path.ts'

/** Supervisors of one name. */
const MOST_NAMESAKES = 99
/** One that does not even accept has other troubles, but it lives. */
const PROBE_MS = 1000

export interface Claim {
  /** The name that was asked for, or that with a number. */
  readonly name: string
  readonly path: string
  /** False when another process has taken the name. */
  readonly isOurs: () => boolean
  /** Removes the name, if it is ours. */
  readonly release: () => void
}

export interface ClaimWish {
  /** Of ours alone. */
  readonly directory: string
  readonly name: string
  /** Take the name from who has it: it is our predecessor. */
  readonly takeOver: boolean
}

/**
 * Makes a server listen in the directory.
 *
 * @throws Error with a sentence that says why it cannot
 */
export async function claim(server: Server, { directory, name, takeOver }: ClaimWish): Promise<Claim> {
  const temporary = join(directory, `.${process.pid}.sock`)
  remove(temporary)
  await listenPrivately(server, temporary)
  const inode = lstatSync(temporary).ino
  const claimed = takeOver ? rename(temporary, directory, name) : await linkToFree(temporary, directory, name)
  remove(temporary)
  const isOurs = (): boolean => isInode(claimed.path, inode)
  return { ...claimed, isOurs, release: () => void (isOurs() && remove(claimed.path)) }
}

/** Mode 0600 from the first moment: bind(2) asks the umask, and happens before listen() returns. */
async function listenPrivately(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(before)
  }
  await once(server, 'listening')
}

function rename(temporary: string, directory: string, name: string): Pick<Claim, 'name' | 'path'> {
  const path = pathOf(directory, name)
  renameSync(temporary, path)
  return { name, path }
}

async function linkToFree(temporary: string, directory: string, name: string): Promise<Pick<Claim, 'name' | 'path'>> {
  for (let count = 1; count <= MOST_NAMESAKES; ) {
    const candidate = count === 1 ? name : `${name}-${count}`
    const path = pathOf(directory, candidate)
    if (link(temporary, path)) return { name: candidate, path }
    // oxlint-disable-next-line no-await-in-loop
    if (!(await removeDead(path))) count += 1
  }
  throw new Error(`${MOST_NAMESAKES} apps of the name ${name} run already`)
}

function pathOf(directory: string, name: string): string {
  const path = socketPath(directory, name)
  if (path === undefined) throw new Error(`the path of ${directory} is too long for a socket in it`)
  return path
}

/** False when the name is taken. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Removes the socket of a process that is gone; false when somebody listens there, or it is no socket. */
export async function removeDead(path: string): Promise<boolean> {
  const inode = inodeOf(path)
  if (inode === undefined) return true
  if ((await probe(path)) !== 'dead' || lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false) return false
  if (isInode(path, inode)) remove(path)
  return true
}

/** Whether somebody listens on a unix socket. What cannot be told counts as alive. */
async function probe(path: string): Promise<'alive' | 'dead'> {
  return new Promise((resolve) => {
    const socket = createConnection(path)
    const settle = (answer: 'alive' | 'dead'): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(PROBE_MS, () => settle('alive'))
    socket.once('connect', () => settle('alive'))
    socket.once('error', (error) => settle(['ECONNREFUSED', 'ENOENT'].includes(codeOf(error)) ? 'dead' : 'alive'))
  })
}

function isInode(path: string, inode: number): boolean {
  return inodeOf(path) === inode
}

function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino
}

function remove(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch {
    return false
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}
