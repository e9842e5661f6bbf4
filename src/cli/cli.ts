#!/usr/bin/env node
// The command. Everything else is importable without effect.
import { join } from 'node:path'
import { loadCached } from '../base/code-cache.ts'
import { nodeHost } from '../config/host.ts'
import { COMPILE_CACHE, existingRuntimeDir } from '../config/runtime-dir.ts'
import type * as Main from './main.ts'

/** Replaced by the build with the hash of `main.cjs`. */
// oxlint-disable-next-line no-underscore-dangle -- the name that the build defines
declare const __EVERYCORE_MAIN_HASH__: string

/** Of the bundle, which is CommonJS and lies beside the other. */
declare const require: NodeJS.Require

const { env } = process
const isChosen = env['NODE_COMPILE_CACHE'] !== undefined || env['NODE_DISABLE_COMPILE_CACHE'] !== undefined
const runtimeDir = isChosen ? undefined : existingRuntimeDir(env, nodeHost())
const filename = join(import.meta.dirname, 'main.cjs')
const { main } = loadCached({
  filename,
  require,
  version: `main.cjs-${__EVERYCORE_MAIN_HASH__}`,
  directory: runtimeDir === undefined ? undefined : join(runtimeDir, COMPILE_CACHE),
}) as typeof Main

void main(process.argv.slice(2), env, { stdout: process.stdout, stderr: process.stderr }).then((code) => {
  process.exitCode = code
})
