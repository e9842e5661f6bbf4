/** The upgrades of one supervisor: one at a time, and none after one that was carried out. */
import type { EventEmitter } from 'node:events'
import { nowMs } from '../base/clock.ts'
import { EverycoreError } from '../base/errors.ts'
import type { Settings } from '../config/types.ts'
import type { Inherited } from '../listen/primary/inherited.ts'
import { canHoldSockets } from '../listen/primary/raw-handle.ts'
import type { Engine } from './engine.ts'
import type { SupervisorEventName, SupervisorEvents } from './events.ts'
import type { SocketDesk } from './sockets.ts'
import type { Successor, UpgradeOptions } from './upgrade.ts'

/** Longest wait for workers that do not take what they were given. */
const DELIVERY_MS = 1000

export interface HandOverPorts {
  readonly settings: Settings
  readonly inherited: Inherited
  readonly sockets: SocketDesk
  readonly stickySecret: string | undefined
  readonly engine: Engine
  readonly events: EventEmitter<SupervisorEvents>
  /** Connections that are on their way to a worker. */
  readonly underWay: () => number
  readonly emit: (name: SupervisorEventName, details: object) => void
}

export class HandOver {
  readonly #ports: HandOverPorts
  #state: 'none' | 'under way' | 'done' = 'none'

  constructor(ports: HandOverPorts) {
    this.#ports = ports
  }

  /** Another process has the sockets. */
  get isDone(): boolean {
    return this.#state === 'done'
  }

  /** Another process has them, or is about to. */
  get isBegun(): boolean {
    return this.#state !== 'none'
  }

  /** @throws EverycoreError as {@link Supervisor.upgrade} says */
  async run(options: UpgradeOptions): Promise<void> {
    const { engine, sockets, emit } = this.#ports
    if (this.#state !== 'none') throw new EverycoreError('ERR_EVERYCORE_STATE', 'cannot upgrade: an upgrade is under way')
    if (engine.state.reload !== undefined) throw new EverycoreError('ERR_EVERYCORE_STATE', 'cannot upgrade: a reload is under way', { hint: 'wait for its end' })
    if (process.platform === 'win32' || !canHoldSockets) throw new EverycoreError('ERR_EVERYCORE_PLATFORM', 'cannot upgrade: sockets cannot be inherited here')
    this.#state = 'under way'
    const began = nowMs()
    try {
      const { pid, handOver } = await this.#raise(options)
      this.#state = 'done'
      sockets.giveAway()
      handOver()
      emit('upgrade:finished', { pid, tookMs: nowMs() - began })
      await this.#deliver()
      engine.tell({ type: 'stopRequested', how: 'graceful' })
    } catch (error) {
      this.#state = 'none'
      if (error instanceof EverycoreError) emit('upgrade:aborted', { why: error.why ?? error.message })
      throw error
    }
  }

  /** What the supervisor has accepted finds a worker that serves, before all are told to leave. */
  async #deliver(): Promise<void> {
    const { sockets, underWay } = this.#ports
    sockets.release()
    const limit = nowMs() + DELIVERY_MS
    while (underWay() > 0 && nowMs() < limit) {
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async #raise(options: UpgradeOptions): Promise<Successor> {
    const { settings, inherited, sockets, stickySecret, engine, events, emit } = this.#ports
    const { readyTimeoutMs, drainTimeoutMs } = settings.core
    const { raiseSuccessor } = await import('./upgrade.ts')
    let onStopping: (() => void) | undefined
    const stopping = new Promise<void>((resolve) => events.once('primary:stopping', (onStopping = () => resolve())))
    const onSpawned = (pid: number): void => emit('upgrade:started', { pid })
    const { named, announced } = inherited
    try {
      return await raiseSuccessor({ held: sockets.legacy, named, announced, stickySecret, size: engine.state.size, readyTimeoutMs, drainTimeoutMs, stopping, onSpawned }, options)
    } finally {
      if (onStopping !== undefined) events.off('primary:stopping', onStopping)
    }
  }
}
