/** What the control server needs of a supervisor, and of the place where it runs. */
import type { LogFollower, LogQuery } from '../logs/ring.ts'
import type { ControlEvent, ReloadResult, ScaleResult, StatusReport, StopResult } from '../protocol/control.ts'

/** A number of workers, a change of it, or as many as the machine gives. */
export type ScaleTarget = number | '+1' | '-1' | 'auto'

/** Everything may throw, or reject with, an EverycoreError. None waits for a worker but the mutations. */
export interface ControlPorts {
  readonly status: () => StatusReport
  /** Calls for each event from now on; returns how to end that. */
  readonly subscribe: (listener: (event: ControlEvent) => void) => () => void
  /** Follows what is written: the newest lines first, as the ring has them. */
  readonly followLogs: (query: LogQuery, onMore: () => void) => LogFollower
  readonly reload: () => Promise<ReloadResult>
  readonly abortReload: () => void
  readonly restart: () => Promise<ReloadResult>
  readonly scale: (target: ScaleTarget) => Promise<ScaleResult>
  /** Begins it. */
  readonly stop: (force: boolean) => StopResult
  readonly warn: (text: string) => void
}

/** What is asked of a client that comes by TCP. */
export interface TcpAccess {
  /** 32 hexadecimal digits. */
  readonly token: string
}

/** Where a connection came from. On the unix socket the file system says who may. */
export type Way = 'unix' | 'tcp'
