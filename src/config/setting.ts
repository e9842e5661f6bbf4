/** What there is to know about one setting. */
import type { Kind } from './kinds.ts'

/** Headings of the help, in its order. */
export const GROUPS = ['Workers', 'App', 'Start and stop', 'Health', 'Output', 'System'] as const

/** One way to give a setting on the command line. */
export interface Flag {
  readonly short?: string
  /** Without the dashes. */
  readonly long: string
  /** What stands for the value; a flag without one sets `sets`. */
  readonly placeholder?: string
  /** What the flag means without a value. Together with a placeholder: the value may be left out. */
  readonly sets?: string
  /** One line for the help. */
  readonly help: string
}

/** The value in the absence of any, as the operator reads it, and why it is that. */
export interface Default<D> {
  readonly value: D
  readonly text: string
  readonly reason: string
}

/** Everything about one setting. */
export interface Setting<T, D extends T | undefined> {
  readonly flags: readonly Flag[]
  /** The flag may be given several times. */
  readonly repeatable?: boolean
  /** The first that is set wins. */
  readonly variables: readonly string[]
  readonly kind: Kind<T>
  readonly default: Default<D>
  readonly group: (typeof GROUPS)[number]
}
