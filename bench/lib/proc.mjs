/** What /proc tells about processes: CPU time, memory, children, and whether they still live. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** State letter and start time, or undefined when there is no such process. Zombies count as gone: PID 1 may not reap them. */
export function identity(pid) {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  return { state: fields[0], startTime: fields[19] }
}

export function isAlive(pid) {
  return identity(pid) !== undefined
}

/** utime + stime of all threads, in microseconds. From schedstat, which counts nanoseconds; /proc/pid/stat has ticks of 10 ms. */
export function cpuMicros(pid) {
  const tasks = safeList(`/proc/${pid}/task`)
  let nanos = 0
  for (const task of tasks) nanos += Number(read(`/proc/${pid}/task/${task}/schedstat`)?.split(' ', 1)[0] ?? 0)
  return nanos / 1000
}

/** Sum over several processes. */
export function cpuOf(pids) {
  let sum = 0
  for (const pid of pids) sum += cpuMicros(pid)
  return sum
}

/** RSS, PSS and private memory in MB (1e6 bytes would be smaller by 5 %; these are MiB). */
export function memory(pid) {
  const text = read(`/proc/${pid}/smaps_rollup`) ?? ''
  const mb = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) / 1024
  return { rss: mb('Rss'), pss: mb('Pss'), private: mb('Private_Clean') + mb('Private_Dirty') }
}

/** Number of descriptors that are sockets. */
export function openSockets(pid) {
  return safeList(`/proc/${pid}/fd`).filter((fd) => linkOf(`/proc/${pid}/fd/${fd}`).startsWith('socket:')).length
}

function linkOf(path) {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

export function children(pid) {
  const found = []
  for (const task of safeList(`/proc/${pid}/task`)) {
    const text = read(`/proc/${pid}/task/${task}/children`) ?? ''
    found.push(...text.trim().split(' ').filter(Boolean).map(Number))
  }
  return found
}

/** Processes that carry this line in their environment. */
export function findByEnvironment(line) {
  const found = []
  for (const name of safeList('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    const environment = read(`/proc/${name}/environ`)
    if (environment?.split('\0').includes(line) === true && isAlive(Number(name))) found.push(Number(name))
  }
  return found
}

function safeList(path) {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
