/** What the command needs of the world. */
import type { Environment } from '../config/collect.ts'
import type { Host } from '../config/host.ts'
import type { Settings } from '../config/types.ts'
import type { Streams } from './streams.ts'

/** What the command needs of the world besides its arguments; tests replace it. */
export interface MainPorts {
  readonly cwd: () => string
  readonly host: () => Host
  /** Runs the app until it ends; gives the exit code. */
  readonly runStart: (settings: Settings, resolve: () => Settings | Promise<Settings>) => Promise<number>
  /** Starts it in the background; gives the exit code when that is done. */
  readonly runDetached: (settings: Settings, argv: readonly string[], streams: Streams) => Promise<number>
}

/** Where the command runs. */
export interface Surroundings {
  readonly env: Environment
  /** The start is to be one in the background. */
  readonly isDetached: boolean
  readonly streams: Streams
  readonly ports: MainPorts
}
