/**
 * Makes the two ends of a link. Node makes pairs of sockets only for new processes, and none of theirs passes handles; so
 * this one connects to itself, by a name that nobody else knows and that is gone at once.
 *
 * @see socketpair(2), which libuv does not offer to JavaScript
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomId } from '../../base/random.ts'
import { PASSES_HANDLES, type LinkPipe, type PipeClass } from '../../protocol/link.ts'
import { bindHandle, type RawHandle } from './raw-handle.ts'

/** `near` passes handles. `far` does where it is opened anew. */
export interface LinkPair {
  readonly near: LinkPipe
  readonly far: RawHandle
}

/** It takes a fraction of a millisecond. */
const LIMIT_MS = 200

/** Windows passes sockets in another way, and to whom is known beforehand. */
const canLink = process.platform !== 'win32'

/** @returns undefined when the system does not let it */
export async function makeLinkPair(): Promise<LinkPair | undefined> {
  if (!canLink) return undefined
  // Linux has names that are in no directory, so that it also works where nothing can be written (unix(7)).
  let directory: string | undefined
  try {
    if (process.platform !== 'linux') directory = mkdtempSync(join(tmpdir(), 'everycore-'))
    return await connect(directory === undefined ? `\0everycore-${randomId()}` : join(directory, 'link'))
  } catch {
    return undefined
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
  }
}

async function connect(path: string): Promise<LinkPair | undefined> {
  const listener = bindHandle(path, -1, -1, 0)
  if (typeof listener === 'number') return undefined
  const Pipe = (listener as unknown as { readonly constructor: PipeClass }).constructor
  const near = new Pipe(PASSES_HANDLES)
  // Only it knows how to connect. It does not read, and gives the handle back.
  const socket = new Socket({ handle: near, manualStart: true } as never) as Socket & { _handle: unknown }
  let timer: NodeJS.Timeout | undefined
  try {
    const accepted = new Promise<RawHandle | undefined>((resolve) => {
      listener.onconnection = (_error, client) => resolve(client)
      // Without a descriptor for it libuv closes what it accepts, and says nothing.
      timer = setTimeout(resolve, LIMIT_MS, undefined)
    })
    if (listener.listen?.(1) !== 0) throw new Error('listen')
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.connect({ path }, resolve)
    })
    near.readStop()
    // As net.js notes it, for a Socket that may be made of it.
    Object.assign(near, { reading: false })
    const far = await accepted
    if (far === undefined) throw new Error('accept')
    socket._handle = null
    socket.destroy()
    return { near, far }
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    listener.close()
  }
}
