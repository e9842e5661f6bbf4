#!/usr/bin/env node
// The command. Everything else is importable without effect.
import { nodeHost } from '../config/host.ts'
import { existingRuntimeDir } from '../config/runtime-dir.ts'
import { loadCached } from './code-cache.ts'
import type * as Main from './main.ts'

/** Replaced by the build with the hash of `main.cjs`. */
// oxlint-disable-next-line no-underscore-dangle -- the name that the build defines
declare const __EVERYCORE_MAIN_HASH__: string

const { env } = process
const isChosen = env['NODE_COMPILE_CACHE'] !== undefined || env['NODE_DISABLE_COMPILE_CACHE'] !== undefined
const { main } = loadCached('main.cjs', __EVERYCORE_MAIN_HASH__, isChosen ? undefined : existingRuntimeDir(env, nodeHost())) as typeof Main

void main(process.argv.slice(2), env, { stdout: process.stdout, stderr: process.stderr }).then((code) => {
  process.exitCode = code
})
