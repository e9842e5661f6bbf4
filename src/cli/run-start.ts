import type { Settings } from '../config/types.ts'

/** What `start.ts` exports as `runStart`: runs the app until it ends and gives the exit code. */
export type RunStart = (settings: Settings) => Promise<number>
