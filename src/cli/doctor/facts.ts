/** What is to be known about a machine before it is judged. Asks the {@link Host}; changes nothing. */
import { arch, release } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { Environment } from '../../config/collect.ts'
import type { Host } from '../../config/host.ts'
import { takeInspect } from '../../config/inspect.ts'
import { readMachine, type Machine } from '../../config/machine.ts'
import { runtimeDirFlaws, type RuntimeDirFlaw } from '../../config/runtime-dir.ts'
import { resolveSizing } from '../../config/sizing.ts'
import { splitWords } from '../../config/words.ts'
import { findHolder, type PortHolder } from '../../listen/primary/port-holder.ts'
import { canHoldSockets } from '../../listen/primary/raw-handle.ts'

/** Soft and hard limit; Infinity: none. */
export type Limit = readonly [soft: number, hard: number]

/** What this Node can do beyond the least that is needed. */
export interface NodeFeatures {
  readonly holdSockets: boolean
  readonly reusePort: boolean
  readonly compileCache: boolean
  readonly stripTypes: boolean
}

export interface DoctorFacts {
  /** Without the leading v. */
  readonly nodeVersion: string
  readonly npmVersion: string | undefined
  readonly features: NodeFeatures
  readonly platform: NodeJS.Platform
  readonly system: string
  readonly machine: Machine
  /** Workers that `auto` gives. */
  readonly workers: number
  /** Undefined where the system does not tell. */
  readonly openFiles: Limit | undefined
  readonly addressSpace: Limit | undefined
  /** Processes and threads in this container. */
  readonly mostPids: number | undefined
  /** Of /proc/sys, by the path below it. */
  readonly kernel: Readonly<Record<string, number | undefined>>
  readonly runtimeDirs: readonly RuntimeDirFlaw[]
  readonly isUnderSystemd: boolean
  readonly hasSystemdNotify: boolean
  /** The name of process 1. */
  readonly init: string | undefined
  readonly isContainer: boolean
  readonly nodeEnv: string | undefined
  readonly threadPool: string | undefined
  /** What NODE_OPTIONS says of the inspector. */
  readonly inspector: 'shut' | 'loopback' | { readonly why: string }
  readonly tmpdir: string
  readonly isTmpNoexec: boolean
  readonly now: Date
  readonly clockSource: string | undefined
  readonly ports: readonly PortFacts[]
}

export interface PortFacts {
  readonly port: number
  /** Somebody listens. */
  readonly isTaken: boolean
  /** Undefined where it cannot be seen. */
  readonly holder: PortHolder | undefined
  /** The app that was asked about has it. */
  readonly isOwn: boolean
}

export interface PortQuestion {
  readonly port: number
  readonly isOwn: boolean
}

const SYSCTLS = ['net/core/somaxconn', 'net/ipv4/tcp_max_syn_backlog', 'net/ipv4/tcp_syncookies', 'net/ipv4/tcp_abort_on_overflow', 'net/ipv4/ip_unprivileged_port_start', 'vm/overcommit_memory'] as const

/** @param isTaken whether somebody listens on a port of this machine */
export async function gatherFacts(host: Host, env: Environment, questions: readonly PortQuestion[], isTaken: (port: number) => Promise<boolean>): Promise<DoctorFacts> {
  const read = (path: string): string | undefined => attempt(() => host.readFile(path))
  const machine = readMachine(host)
  const limits = read('/proc/self/limits') ?? ''
  return {
    nodeVersion: host.nodeVersion,
    npmVersion: npmVersion(read),
    features: { holdSockets: canHoldSockets, reusePort: host.canReusePort(), compileCache: host.hasCompileCache, stripTypes: host.stripsTypes },
    platform: host.platform,
    system: `${host.platform} ${release()} ${arch()}`,
    machine,
    workers: resolveSizing({ kind: 'auto', asked: 'auto' }, machine).size,
    openFiles: limitOf(limits, 'Max open files'),
    addressSpace: limitOf(limits, 'Max address space'),
    mostPids: numberOf(read('/sys/fs/cgroup/pids.max')),
    kernel: Object.fromEntries(SYSCTLS.map((name) => [name, numberOf(read(`/proc/sys/${name}`))])),
    runtimeDirs: runtimeDirFlaws(env, host),
    isUnderSystemd: (env['NOTIFY_SOCKET'] ?? '') !== '',
    hasSystemdNotify: ['/usr/bin', '/bin', ...(env['PATH'] ?? '').split(delimiter)].some((directory) => host.stat(join(directory, 'systemd-notify'))?.kind === 'file'),
    init: read('/proc/1/comm')?.trim(),
    isContainer: host.stat('/.dockerenv') !== undefined || host.stat('/run/.containerenv') !== undefined || env['KUBERNETES_SERVICE_HOST'] !== undefined,
    nodeEnv: env['NODE_ENV'],
    threadPool: env['UV_THREADPOOL_SIZE'],
    inspector: inspectorOf(env),
    tmpdir: host.tmpdir,
    isTmpNoexec: isNoexec(read('/proc/self/mountinfo') ?? '', host.tmpdir),
    now: new Date(),
    clockSource: read('/sys/devices/system/clocksource/clocksource0/current_clocksource')?.trim(),
    ports: await Promise.all(questions.map(async ({ port, isOwn }): Promise<PortFacts> => ({ port, isOwn, isTaken: await isTaken(port), holder: await findHolder({ port }) }))),
  }
}

/** Beside this Node, where its installer has put it; to ask npm itself takes half a second. */
function npmVersion(read: (path: string) => string | undefined): string | undefined {
  const text = read(join(dirname(process.execPath), '../lib/node_modules/npm/package.json')) ?? read(join(dirname(process.execPath), 'node_modules/npm/package.json'))
  return text === undefined ? undefined : /"version":\s*"([^"]+)"/.exec(text)?.[1]
}

/** @see proc_pid_limits(5) */
function limitOf(text: string, name: string): Limit | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  const [soft, hard] = line?.slice(name.length).trim().split(/\s+/) ?? []
  return soft === undefined || hard === undefined ? undefined : [limitValue(soft), limitValue(hard)]
}

function limitValue(word: string): number {
  return word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word)
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : undefined
}

function inspectorOf(env: Environment): DoctorFacts['inspector'] {
  try {
    const { port } = takeInspect(splitWords(env['NODE_OPTIONS'] ?? '', 'node') ?? [], 'NODE_OPTIONS')
    return port === undefined ? 'shut' : 'loopback'
  } catch (error) {
    return { why: (error as Error).message }
  }
}

/** @see proc_pid_mountinfo(5) */
function isNoexec(text: string, directory: string): boolean {
  const mounts = text.split('\n').flatMap((line) => {
    const [, , , , point, options] = line.split(' ')
    return point === undefined || options === undefined ? [] : [{ point, options: options.split(',') }]
  })
  const holding = mounts.filter(({ point }) => directory === point || directory.startsWith(point === '/' ? '/' : `${point}/`))
  // Of those that are mounted over each other the last.
  const nearest = holding.reduce<(typeof holding)[number] | undefined>((found, one) => (found === undefined || one.point.length >= found.point.length ? one : found), undefined)
  return nearest?.options.includes('noexec') ?? false
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
