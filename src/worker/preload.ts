/**
 * First file that a worker loads (`node --require`), and a gate: worker threads, and processes that
 * inherited the argument from a worker, must run nothing of ours.
 */
import { BOOT_VARIABLE, type BootInfo } from '../protocol/boot.ts'
import { install } from './hook.ts'
import { hidePreload } from './traces.ts'

const text = process.env[BOOT_VARIABLE]
// Gone before any thread or child of the app can start, so none of them has it.
delete process.env[BOOT_VARIABLE]
const boot = text === undefined ? undefined : (JSON.parse(text) as BootInfo)
if (boot?.primaryPid === process.ppid) install(boot)
// Threads of the app load this file too; their list of arguments is a copy of the one that Node began with.
else hidePreload()
