/**
 * First file that a worker loads (`node --require`), and a gate: worker threads, and processes that
 * inherited the argument from a worker, must run nothing of ours.
 */
import { join } from 'node:path'
import { loadCached } from '../base/code-cache.ts'
import { BOOT_VARIABLE, type BootInfo } from '../protocol/boot.ts'
import type * as Hook from './hook.ts'
import { hidePreload } from './traces.ts'

/** Replaced by the build with the hash of `hook.cjs`. */
// oxlint-disable-next-line no-underscore-dangle -- the name that the build defines
declare const __EVERYCORE_HOOK_HASH__: string

/** Of the bundle, which is CommonJS and lies beside the other. */
declare const require: NodeJS.Require

const text = process.env[BOOT_VARIABLE]
// Gone before any thread or child of the app can start, so none of them has it.
delete process.env[BOOT_VARIABLE]
const boot = text === undefined ? undefined : (JSON.parse(text) as BootInfo)
if (boot?.primaryPid === process.ppid) {
  const filename = join(import.meta.dirname, 'hook.cjs')
  const { install } = loadCached({
    filename,
    require,
    version: `hook.cjs-${__EVERYCORE_HOOK_HASH__}-${boot.flagsHash}`,
    directory: boot.codeCacheDir ?? undefined,
  }) as typeof Hook
  install(boot)
} else {
  // Threads of the app load this file too; their list of arguments is a copy of the one that Node began with.
  hidePreload()
}
