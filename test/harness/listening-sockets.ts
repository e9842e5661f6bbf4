/** Listening TCP sockets as the kernel shows them (proc(5)). Linux only. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const TCP_LISTEN = '0A'

/** The inodes of all sockets that listen on a port. */
export function listeningInodes(port: number): ReadonlySet<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => readText(table).split('\n').slice(1))
  const fields = lines.map((line) => line.trim().split(/\s+/))
  return new Set(fields.flatMap(([, local, , state, , , , , , inode]) => (state === TCP_LISTEN && local?.endsWith(suffix) === true && inode !== undefined ? [inode] : [])))
}

/** Those of them that a process has open. */
export function listeningInodesOf(pid: number, port: number): ReadonlySet<string> {
  const all = listeningInodes(port)
  const links = names(`/proc/${pid}/fd`).map((fd) => /^socket:\[(\d+)\]$/.exec(target(`/proc/${pid}/fd/${fd}`))?.[1])
  return new Set(links.filter((inode) => inode !== undefined && all.has(inode)) as string[])
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function names(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function target(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
