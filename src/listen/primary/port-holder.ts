/** Who holds a port that we cannot have: the name of a process says more than EADDRINUSE. */
import { execFile } from 'node:child_process'
import { promises } from 'node:fs'
import { promisify } from 'node:util'

export interface PortHolder {
  readonly pid: number
  /** The program and its script; no other argument, since those may hold secrets. */
  readonly command: string
}

const TCP_LISTEN = '0A'
const COMMAND_LIMIT = 120

/** Looks for the process that listens on a TCP port or a unix socket path. Undefined when it cannot be seen: other users' processes are hidden without root. */
export async function findHolder(target: { readonly port: number } | { readonly path: string }): Promise<PortHolder | undefined> {
  try {
    if (process.platform === 'linux') return await findByProc(await inodes(target))
    if (process.platform === 'darwin' && 'port' in target) return await findByLsof(target.port)
  } catch {
    // A courtesy: without it the message is only less helpful.
  }
  return undefined
}

/** @see proc(5), /proc/net/tcp and /proc/net/unix */
async function inodes(target: { readonly port: number } | { readonly path: string }): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  if ('path' in target) {
    // Abstract names are shown with @ for NUL, and by some versions of Node padded with NUL.
    const shown = target.path.replace(/^\0/, '@')
    const padding = target.path === shown ? '' : /@+$/
    for (const line of await lines('/proc/net/unix')) {
      const fields = line.trim().split(/\s+/)
      if (fields[7]?.replace(padding, '') === shown && fields[6] !== undefined) found.add(fields[6])
    }
    return found
  }
  const suffix = `:${target.port.toString(16).toUpperCase().padStart(4, '0')}`
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of await lines(table)) {
      const fields = line.trim().split(/\s+/)
      if (fields[3] === TCP_LISTEN && fields[1]?.endsWith(suffix) === true && fields[9] !== undefined) found.add(fields[9])
    }
  }
  return found
}

async function lines(path: string): Promise<readonly string[]> {
  const text = await promises.readFile(path, 'utf8').catch(() => '')
  return text.split('\n').slice(1)
}

async function findByProc(sought: ReadonlySet<string>): Promise<PortHolder | undefined> {
  if (sought.size === 0) return undefined
  for (const pid of await promises.readdir('/proc')) {
    if (/^\d+$/.test(pid) && (await holdsOne(pid, sought))) return { pid: Number(pid), command: await commandOf(pid) }
  }
  return undefined
}

async function holdsOne(pid: string, sought: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await promises.readdir(`/proc/${pid}/fd`).catch(() => [])
  for (const fd of descriptors) {
    const link = await promises.readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1]
    if (inode !== undefined && sought.has(inode)) return true
  }
  return false
}

async function commandOf(pid: string): Promise<string> {
  const text = await promises.readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return programOf(text.split('\0'))
}

/** A title that the process has given itself is one word, with spaces. */
function programOf([title = '', script = '']: readonly string[]): string {
  const [program = '', word = script] = title.split(' ')
  const isScript = /^[\w./@-]*\.[a-z]{1,4}$/.test(word) && !word.startsWith('-')
  return `${program}${isScript ? ` ${word}` : ''}`.slice(0, COMMAND_LIMIT)
}

async function findByLsof(port: number): Promise<PortHolder | undefined> {
  const { stdout } = await promisify(execFile)('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { timeout: 2000 })
  const pid = /^p(\d+)$/m.exec(stdout)?.[1]
  return pid === undefined ? undefined : { pid: Number(pid), command: /^c(.*)$/m.exec(stdout)?.[1] ?? '' }
}
