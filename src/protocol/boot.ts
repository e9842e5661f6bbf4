/**
 * What a worker must know before it can read its control pipe. It travels in one environment variable
 * that the preload removes before the app runs, so that neither the app nor its children see it.
 */

import type { StickyRules } from './sticky.ts'

/** Of a spare. The core's is the same; this half stays small and imports none of it. */
const NO_SLOT = -1

/** Name of the variable. */
export const BOOT_VARIABLE = 'EVERYCORE_BOOT'

export interface BootInfo {
  /** The parent's pid: a process with another parent is not the worker, whatever it inherited. */
  readonly primaryPid: number
  /** The script's path as plain node would show it in `process.argv[1]`; what runs is the real path. */
  readonly script: string
  /** -1: a spare, which gets one later. */
  slot: number
  readonly generation: number
  readonly drainTimeoutMs: number
  /** For a worker whose primary is gone. */
  readonly lingerMs: number
  /** The same. */
  readonly closeSpreadMs: number
  readonly killSignal: string
  /** How often it says that its event loop turns. */
  readonly beatMs: number
  /** Whether the requests that it begins are counted. */
  readonly countRequests: boolean
  /** Whether it measures itself. */
  readonly vitals: boolean
  readonly waitReady: boolean
  /** Accept nothing before the primary says so. */
  readonly gated: boolean
  /** Where our own compiled code is kept; null: nowhere. */
  readonly codeCacheDir: string | null
  /** Of the arguments of Node: V8 takes no code that was compiled with others. */
  readonly flagsHash: string
  /** The same for the app's, by Node. */
  readonly compileCacheDir: string | null
  /** Leave listen() to node:cluster. */
  readonly viaCluster: boolean
  /** How to find out whose a request is; null: it does not matter, or the primary finds out. */
  readonly sticky: StickyRules | null
  /** Idle connections may move to other workers. */
  readonly rebalance: boolean
}

/** What tells the app its seat. */
export function slotEnvironment(slot: number): Record<string, string> {
  return { EVERYCORE_SLOT: String(slot), NODE_APP_INSTANCE: String(slot) }
}

/** The environment that tells a worker its seat; the first entry is gone before the app runs. */
export function bootEnvironment(info: BootInfo): Record<string, string> {
  return {
    [BOOT_VARIABLE]: JSON.stringify(info),
    EVERYCORE_GENERATION: String(info.generation),
    ...(info.slot === NO_SLOT ? {} : slotEnvironment(info.slot)),
  }
}
