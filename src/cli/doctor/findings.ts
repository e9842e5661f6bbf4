/** Judges what is known of a machine. Pure. */
import { formatSize } from '../../base/units.ts'
import { LEAST_MEMORY_PER_WORKER } from '../../config/sizing.ts'
import type { DoctorFacts, PortFacts } from './facts.ts'

/** `problem`: something will not work. `warning`: it will, but worse. `note`: good to know. */
export type Verdict = 'ok' | 'note' | 'warning' | 'problem'

export interface Finding {
  readonly verdict: Verdict
  /** What is looked at, for whoever reads JSON. */
  readonly subject: string
  readonly fact: string
  /** What to do, or what follows; undefined where nothing does. */
  readonly cure?: string
}

type Judge = (facts: DoctorFacts) => Finding | readonly Finding[] | undefined

/** Connections that net.Server asks the kernel to queue. @see lib/net.js */
const NODE_BACKLOG = 511
/** Threads of one worker: Node's own, those of V8, and the pool of libuv. */
const THREADS_PER_WORKER = 11
/** Sockets that a busy server has open; the rest of its files are few. */
const FEW_FILES = 4096
/** When this was written: a clock before that is wrong. */
const RELEASED = Date.UTC(2025, 0, 1)
/** Clocks that a program reads without entering the kernel, or nearly so. */
const QUICK_CLOCKS = new Set(['tsc', 'kvm-clock', 'arch_sys_counter', 'hyperv_clocksource_tsc_page', 'timebase', 'riscv_clocksource'])
/** Of containers: they wait for processes that others have left behind. */
const INITS = new Set(['systemd', 'init', 'tini', 'docker-init', 'dumb-init', 'catatonit', 's6-svscan', 'runit', 'pause', 'podman-init'])

const finding = (verdict: Verdict, subject: string, fact: string, cure?: string): Finding => ({ verdict, subject, fact, ...(cure !== undefined && { cure }) })

/** All that there is to say, in the order in which it is read. */
export function findings(facts: DoctorFacts): readonly Finding[] {
  return JUDGES.flatMap((judge) => judge(facts) ?? [])
}

const JUDGES: readonly Judge[] = [
  node,
  features,
  ({ npmVersion }) => (npmVersion === undefined ? finding('note', 'npm', 'no npm beside this Node') : finding('ok', 'npm', `npm ${npmVersion}`)),
  platform,
  cores,
  memory,
  ({ addressSpace: [soft] = [Number.POSITIVE_INFINITY] }) => (soft === Number.POSITIVE_INFINITY ? undefined : finding('problem', 'address-space', `the address space is limited to ${formatSize(soft)} (ulimit -v)`, 'Node reserves far more than it uses: ulimit -v unlimited, and limit the memory of the cgroup instead.')),
  openFiles,
  pids,
  backlog,
  synBacklog,
  ({ kernel }) => (kernel['net/ipv4/tcp_abort_on_overflow'] === 1 ? finding('warning', 'abort-on-overflow', 'connections are reset when the queue of a socket is full (tcp_abort_on_overflow = 1)', 'In a reload or a burst clients see errors and not a short wait: sysctl -w net.ipv4.tcp_abort_on_overflow=0') : undefined),
  runtimeDir,
  ({ features: { holdSockets }, platform: system }) => finding(holdSockets ? 'ok' : 'warning', 'hand-over', holdSockets ? 'sockets are held, connections can be handed over: sticky sessions and reloads without a gap' : 'sockets cannot be held: node:cluster spreads connections', holdSockets ? undefined : system === 'win32' ? 'Use Linux in production.' : 'Use a Node that everycore knows: 20, 22, 24 or 26.'),
  systemd,
  init,
  ({ nodeEnv = '' }) => (nodeEnv === '' ? finding('warning', 'node-env', 'NODE_ENV is not set in this shell', 'Express and others are slower then, and tell clients more of an error: NODE_ENV=production') : finding('ok', 'node-env', 'NODE_ENV is set')),
  threadPool,
  inspector,
  ({ kernel, machine }) => (kernel['vm/overcommit_memory'] === 2 ? finding('warning', 'overcommit', `memory is not overcommitted (vm.overcommit_memory = 2)${machine.memoryLimit === undefined ? '' : ', and limited'}`, 'Node reserves more than it uses, so workers may fail to start: sysctl -w vm.overcommit_memory=0') : undefined),
  ({ isTmpNoexec, tmpdir }) => (isTmpNoexec ? finding('note', 'tmp', `nothing in ${tmpdir} can be run (noexec)`, 'Packages that unpack native code there fail; TMPDIR names another place.') : undefined),
  clock,
  ({ ports }) => ports.map(port),
]

function node({ nodeVersion }: DoctorFacts): Finding {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
  const isKnown = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24
  return isKnown ? finding('ok', 'node', `Node ${nodeVersion}`) : finding('problem', 'node', `Node ${nodeVersion} is not one that everycore runs on`, 'Install Node 24, or 20.19 and later, or 22.12 and later.')
}

function features({ features: { reusePort, compileCache, stripTypes }, nodeVersion, platform: system }: DoctorFacts): readonly Finding[] {
  const missing = [
    ...(compileCache ? [] : ["compiled code of the app is not kept between starts (Node 22.8)"]),
    ...(reusePort || system !== 'linux' ? [] : ['--balance reuseport is refused (Node 22.12)']),
    ...(stripTypes ? [] : ['TypeScript needs a loader, for instance tsx (Node 22.18)']),
  ]
  return missing.map((what) => finding('note', 'features', `with Node ${nodeVersion} ${what}`))
}

function platform({ platform: name, system }: DoctorFacts): Finding {
  if (name === 'linux') return finding('ok', 'platform', system)
  if (name === 'win32') return finding('warning', 'platform', system, 'For development only: no draining by signals, no control socket.')
  return finding('note', 'platform', system, 'Linux is what everycore is measured on.')
}

function cores({ machine: { cores: count, quota }, workers }: DoctorFacts): Finding {
  const why = `${count} ${count === 1 ? 'core' : 'cores'}${quota === undefined ? '' : `, a CPU quota of ${Number(quota.toFixed(2))}`}`
  if (quota !== undefined && quota < 1) return finding('warning', 'cores', `${why}: ${workers} worker, which is stopped for a part of each 100 ms`, 'Give the container a whole core at least: a quota below one makes every request slow.')
  if (count === 1 || workers === 1) return finding('note', 'cores', `${why}: auto gives 1 worker`, 'Reloads and restarts of crashed workers work; more throughput needs more cores.')
  return finding('ok', 'cores', `${why}: auto gives ${workers} workers`)
}

function memory({ machine: { memoryLimit }, workers }: DoctorFacts): Finding {
  if (memoryLimit === undefined) return finding('ok', 'memory', 'no memory limit')
  const each = memoryLimit / workers
  const fact = `a memory limit of ${formatSize(memoryLimit)}: ${formatSize(each)} for each of ${workers} ${workers === 1 ? 'worker' : 'workers'}`
  return each < LEAST_MEMORY_PER_WORKER ? finding('warning', 'memory', fact, `A Node.js server needs about ${formatSize(LEAST_MEMORY_PER_WORKER)}: raise the limit, or expect the OOM killer.`) : finding('ok', 'memory', fact, 'The heap of V8 does not know of it: --node-args --max-old-space-size sets one for each worker.')
}

function openFiles({ openFiles: limit }: DoctorFacts): Finding | undefined {
  if (limit === undefined) return undefined
  const [soft, hard] = limit
  const fact = `${soft === Number.POSITIVE_INFINITY ? 'any number of' : soft} open files for each process (ulimit -n)`
  // Node raises its own soft limit to the hard one.
  return hard < FEW_FILES ? finding('warning', 'open-files', `${fact}, ${hard} at most`, 'Each connection is one: LimitNOFILE=65536 in systemd, --ulimit nofile=65536:65536 with docker run.') : finding('ok', 'open-files', fact)
}

function pids({ mostPids, workers }: DoctorFacts): Finding | undefined {
  if (mostPids === undefined) return undefined
  const needed = workers * 2 * THREADS_PER_WORKER
  return mostPids < needed ? finding('problem', 'pids', `${mostPids} processes and threads are allowed here (pids.max)`, `${workers} workers and their successors in a reload need about ${needed}: raise --pids-limit or TasksMax.`) : finding('ok', 'pids', `${mostPids} processes and threads are allowed here`)
}

function backlog({ kernel }: DoctorFacts): Finding | undefined {
  const most = kernel['net/core/somaxconn']
  if (most === undefined) return undefined
  return most < NODE_BACKLOG ? finding('warning', 'backlog', `the kernel queues ${most} connections for a socket (somaxconn), Node asks for ${NODE_BACKLOG}`, 'In a burst or a restart clients time out sooner: sysctl -w net.core.somaxconn=4096') : finding('ok', 'backlog', `up to ${most} connections wait for a socket (somaxconn); Node asks for ${NODE_BACKLOG} unless listen() says more`)
}

function synBacklog({ kernel }: DoctorFacts): Finding | undefined {
  const half = kernel['net/ipv4/tcp_max_syn_backlog']
  if (half === undefined || half >= NODE_BACKLOG || kernel['net/ipv4/tcp_syncookies'] !== 0) return undefined
  return finding('warning', 'syn-backlog', `${half} connections may be half open (tcp_max_syn_backlog), and SYN cookies are off`, 'sysctl -w net.ipv4.tcp_syncookies=1')
}

function runtimeDir({ runtimeDirs }: DoctorFacts): Finding {
  const chosen = runtimeDirs.find(({ flaw }) => flaw === undefined)
  if (chosen !== undefined) return finding('ok', 'runtime-dir', `${chosen.path} holds control sockets and caches${chosen.isMissing ? ', when it has been made' : ''}`)
  const why = runtimeDirs.map(({ path, flaw }) => `${path}: ${flaw}`).join(' ')
  return finding('problem', 'runtime-dir', `no runtime directory can be used. ${why}`, 'Without one there is no control socket: name one that is yours alone with --runtime-dir.')
}

function systemd({ isUnderSystemd, hasSystemdNotify, platform: system }: DoctorFacts): Finding | undefined {
  if (system !== 'linux') return undefined
  if (hasSystemdNotify) return finding('ok', 'systemd', 'systemd-notify is there, for Type=notify')
  return isUnderSystemd ? finding('problem', 'systemd', 'systemd waits for a message, and there is no systemd-notify', 'Install systemd (the package), or use Type=exec.') : finding('note', 'systemd', 'no systemd-notify: a unit must have Type=exec')
}

function init({ init: name, isContainer }: DoctorFacts): Finding | undefined {
  if (name === undefined || !isContainer) return undefined
  if (INITS.has(name)) return finding('ok', 'init', `process 1 is ${name}`)
  return finding('warning', 'init', `process 1 of this container is ${name}`, 'What an app starts and leaves behind stays as a zombie: docker run --init, or tini.')
}

function threadPool({ threadPool: text = '4', workers, machine }: DoctorFacts): Finding {
  const threads = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (threads < 1 || threads > 1024) return finding('warning', 'thread-pool', 'UV_THREADPOOL_SIZE is no number from 1 to 1024', 'Leave it out, or give a number.')
  if (threads <= 4 || workers * threads <= machine.cores * 16) return finding('ok', 'thread-pool', `${threads} threads for files, DNS and crypto in each worker`)
  return finding('warning', 'thread-pool', `each of ${workers} workers has ${threads} threads for files, DNS and crypto (UV_THREADPOOL_SIZE)`, 'It counts for each worker, not for all of them together: divide it by the number of workers.')
}

function inspector({ inspector: state }: DoctorFacts): Finding | undefined {
  if (state === 'shut') return undefined
  if (state !== 'loopback') return finding('problem', 'inspector', state.why, 'Take it out of NODE_OPTIONS.')
  return finding('warning', 'inspector', 'NODE_OPTIONS opens an inspector in every process', 'Whoever has an account here can run code in the app: take it out, everycore inspect opens one when it is needed.')
}

function clock({ now, clockSource }: DoctorFacts): Finding | readonly Finding[] | undefined {
  if (now.getTime() < RELEASED) return finding('problem', 'clock', `the clock says ${now.toISOString()}`, 'Certificates and tokens are judged by it: set it, for instance with chrony.')
  if (clockSource === undefined || QUICK_CLOCKS.has(clockSource)) return undefined
  return finding('note', 'clock', `the clock source is ${clockSource}`, 'Each look at the clock is a system call, and Node looks often; tsc or kvm-clock are quicker, where the machine has them.')
}

function port({ port: number, isTaken, holder, isOwn }: PortFacts): Finding {
  if (!isTaken) return isOwn ? finding('warning', 'port', `nobody listens on port ${number}, though the app says that it does`, 'everycore status tells how its workers are.') : finding('ok', 'port', `port ${number} is free`)
  const by = holder === undefined ? 'a process that cannot be seen by this user' : `${holder.command} (pid ${holder.pid})`
  return isOwn ? finding('ok', 'port', `port ${number} is held by ${by}`) : finding('problem', 'port', `port ${number} is taken by ${by}`, 'Stop it, or use another port.')
}
