/** The processes of all workers: starts them, finds them, passes orders on, and has them watched. */
import { join } from 'node:path'
import type { Launch, Settings } from '../config/types.ts'
import type { ExitReport, KillReason, RetireReason, WorkerId } from '../core/types.ts'
import type { Lending } from '../listen/primary/slot-sockets.ts'
import type { Logs } from '../logs/logs.ts'
import type { WorkerMessage } from '../protocol/messages.ts'
import type { StickyRules } from '../protocol/sticky.ts'
import type { WorkerRef } from './events.ts'
import { isGated } from './admission.ts'
import { acceptsHere } from './acceptor.ts'
import { Generations } from './generations.ts'
import { Guardian } from './guardian.ts'
import { flagsHash } from './flags-hash.ts'
import type { LinkingPorts } from './linking.ts'
import { beatMsFor, Vigil } from './vigil.ts'
import { WorkerProcess } from './worker-process.ts'

/** Beside the bundle that this file ends up in. */
const PRELOAD = join(import.meta.dirname, 'worker/preload.cjs')

/** Where the crew reports what its workers do. */
export interface CrewReports {
  readonly spawned: (id: WorkerId, pid: number) => void
  readonly spawnFailed: (id: WorkerId, code: string) => void
  readonly message: (id: WorkerId, worker: WorkerProcess, message: WorkerMessage) => void
  /** The app's `process.send`; JSON text, not yet parsed. */
  readonly appMessage: (id: WorkerId, body: string, handle: unknown) => void
  /** Connections can be sent to it from now on. */
  readonly linked: (id: WorkerId) => void
  /** They cannot. */
  readonly unlinked: (id: WorkerId) => void
  readonly linkMessage: (id: WorkerId, ...message: Parameters<LinkingPorts['onMessage']>) => void
  readonly disconnected: (id: WorkerId) => void
  readonly violation: (id: WorkerId, why: string) => void
  readonly stalled: (id: WorkerId, silentMs: number) => void
  /** It is forgotten when this returns. */
  readonly exited: (id: WorkerId, exit: ExitReport) => void
}

interface CrewContext {
  readonly logs: Logs
  readonly viaCluster: boolean
  readonly sticky: StickyRules | undefined
}

export class Crew {
  readonly #settings: Settings
  readonly #context: CrewContext
  readonly #reports: CrewReports
  readonly #workers = new Map<WorkerId, WorkerProcess>()
  readonly #generations: Generations
  #guardian: Guardian | undefined
  #endVigil: (() => void) | undefined
  /** Fulfilled when the last words of the worker that ended last are out. */
  lastOutput: Promise<void> | undefined

  constructor(settings: Settings, context: CrewContext, reports: CrewReports) {
    this.#settings = settings
    this.#context = context
    this.#reports = reports
    this.#generations = new Generations(settings.launch)
  }

  /** From now on the workers do not outlive the supervisor. After the first forks, which take the longest; that they have pids is told to it in a later turn. */
  guard(): void {
    this.#guardian = new Guardian({ drainTimeoutMs: this.#settings.core.drainTimeoutMs, warn: (text) => this.#context.logs.logger.warn(text) })
    const { hangTimeoutMs } = this.#settings.health
    const onStalled = ({ id }: WorkerProcess, silentMs: number): void => this.#reports.stalled(id, silentMs)
    this.#endVigil = new Vigil({ workers: () => this.#workers.values(), guardian: this.#guardian, hangTimeoutMs, onStalled }).start()
  }

  /** All have ended. */
  dismiss(): void {
    this.#endVigil?.()
    this.#guardian?.end()
  }

  get(id: WorkerId): WorkerProcess | undefined {
    return this.#workers.get(id)
  }

  get all(): Iterable<WorkerProcess> {
    return this.#workers.values()
  }

  /** How events name a worker. */
  ref(id: WorkerId): WorkerRef {
    const worker = this.#workers.get(id)
    return { id, slot: worker?.slot ?? -1, pid: worker?.pid ?? -1, generation: worker?.generation ?? -1 }
  }

  /** @param oldest no worker of a generation below this one will be started again */
  spawn(id: WorkerId, slot: number, generation: number, oldest: number): void {
    const { core, killSignal, waitReady, codeCacheDir, compileCacheDir, lingerTimeoutMs, closeSpreadMs, balance, rebalance, health, admission, vitals } = this.#settings
    const { logs, viaCluster, sticky } = this.#context
    const launch = this.#generations.launchOf(generation)
    this.#generations.keepFrom(oldest)
    const boot = { primaryPid: process.pid, script: launch.named, slot, generation, drainTimeoutMs: core.drainTimeoutMs, lingerMs: lingerTimeoutMs, closeSpreadMs, killSignal, beatMs: beatMsFor(health.hangTimeoutMs), countRequests: health.maxRequests !== undefined || core.canaryMs > 0, vitals, waitReady, gated: isGated(admission) && !viaCluster, codeCacheDir: codeCacheDir ?? null, flagsHash: flagsHash(launch), compileCacheDir: compileCacheDir ?? null, viaCluster, rebalance, sticky: acceptsHere(balance, sticky) ? null : (sticky ?? null) }
    const reports = this.#reports
    const worker = WorkerProcess.spawn(
      { id, launch, preload: PRELOAD, boot, logs, viaCluster },
      {
        onSpawned: (pid) => {
          this.#guardian?.watch(pid)
          reports.spawned(id, pid)
        },
        onSpawnFailed: (code) => reports.spawnFailed(id, code),
        onMessage: (message) => {
          const sender = this.#workers.get(id)
          if (sender !== undefined) reports.message(id, sender, message)
        },
        onAppMessage: (body, handle) => reports.appMessage(id, body, handle),
        onLinked: () => reports.linked(id),
        onUnlinked: () => reports.unlinked(id),
        onLinkMessage: (message, handle) => reports.linkMessage(id, message, handle),
        onDisconnected: () => reports.disconnected(id),
        onViolation: (why) => reports.violation(id, why),
        onExited: (exit) => this.#onExited(id, exit),
      },
    )
    if (worker !== undefined) this.#workers.set(id, worker)
  }

  /** Gives a spare its slot. */
  seat(id: WorkerId, slot: number): void {
    this.#workers.get(id)?.seat(slot)
  }

  /** What the next generation runs. */
  use(launch: Launch): void {
    this.#generations.use(launch)
  }

  drain(id: WorkerId, order: { readonly timeoutMs: number; readonly lingerMs: number | null; readonly closeSpreadMs: number; readonly reason: RetireReason }): void {
    this.#workers.get(id)?.drain({ type: 'drain', ...order })
  }

  kill(id: WorkerId, reason: KillReason): void {
    const worker = this.#workers.get(id)
    if (reason === 'stalled') worker?.killWithStack()
    else worker?.kill()
  }

  #onExited(id: WorkerId, exit: ExitReport): void {
    const worker = this.#workers.get(id)
    if (worker !== undefined) this.#guardian?.forget(worker.pid)
    this.lastOutput = worker?.output.ended
    this.#reports.exited(id, exit)
    this.#workers.delete(id)
  }
}

/** How sockets of slots are lent to workers. */
export function lendingOf(workerOf: (id: WorkerId) => WorkerProcess | undefined): Lending {
  return {
    lend: (id, name, handle) => workerOf(id)?.lend(name, handle) ?? false,
    takeBack: (id, name) => workerOf(id)?.takeBack(name),
  }
}
