import { join, resolve } from 'node:path'
import type { EverycoreError } from '../base/errors.ts'
import { formatDuration } from '../base/units.ts'
import type { CoreSettings } from '../core/types.ts'
import { resolveBalance } from './balance.ts'
import { baseOf, resolveBases, type Bases } from './bases.ts'
import { collectValues, misspeltVariables, type Environment, type Flags, type Named, type Values } from './collect.ts'
import { colorFor } from './color.ts'
import { readEnvFiles } from './env-file.ts'
import type { Host } from './host.ts'
import { resolveLogFiles } from './log-files.ts'
import { readMachine } from './machine.ts'
import { deriveName } from './name.ts'
import { resolveNodeArgs, type NodeArgs } from './node-args.ts'
import { readOptions, readStartOptions, type StartOptions, type SupervisorOptions } from './options.ts'
import { Problems, settingError } from './problems.ts'
import { COMPILE_CACHE, explicitRuntimeDir, implicitRuntimeDir, type RuntimeDir } from './runtime-dir.ts'
import { findScript } from './script.ts'
import { resolveSizing } from './sizing.ts'
import type { Found, Launch, Settings, Sizing } from './types.ts'
import { resolveSticky } from './sticky.ts'
import { typescriptArgs } from './typescript.ts'
import { resolveIdentity, type Identity } from './users.ts'
import { workerEnv } from './worker-env.ts'

/** Generations that may drain when a reload begins. More than one, so that a hotfix does not wait for the long requests of the release before the last. */
const MAX_DRAINING = 3
/** What a pod has for its end by default (terminationGracePeriodSeconds). */
const KUBERNETES_GRACE_MS = 30_000

/** Everything that settings are made of. */
export interface SettingsInput {
  /** The command line; the library gives none. */
  readonly flags?: Flags
  /** From the command line; wins over the option. */
  readonly script?: string | undefined
  readonly args?: readonly string[]
  readonly options?: SupervisorOptions
  /** One app of a config file. */
  readonly config?: ConfigInput | undefined
  readonly env: Environment
  readonly cwd: string
  /** Stdout is a terminal. */
  readonly isTTY: boolean
  readonly host: Host
}

/** What a config file says, unjudged. */
export interface ConfigInput extends Named {
  /** Its own; paths in it are relative to this. */
  readonly directory: string
  /** What is wrong with it already. */
  readonly problems: readonly EverycoreError[]
  /** Sentences for the operator. */
  readonly warnings: readonly string[]
}

/** What has to be known before the details can be found. */
interface Basis {
  readonly script: string
  readonly bases: Bases
  readonly sizing: Sizing
  readonly identity: Identity
  readonly env: Readonly<Record<string, string>>
  readonly node: NodeArgs
}

/**
 * Turns what was given into the settings of one run. The only thing that it changes is that it makes the
 * runtime directory, and that only when everything else is right.
 *
 * @throws EverycoreError with all problems at once, under the code of the first.
 */
export function resolveSettings(input: SettingsInput): Settings {
  const problems = new Problems()
  const options = readOptions(input.options, problems)
  for (const problem of input.config?.problems ?? []) problems.add(problem)
  const values = collectValues({ flags: input.flags ?? {}, options, config: input.config, env: input.env }, problems)
  const start = readStartOptions(input.config ?? { values: options, where: (key) => `${key} (option)` }, problems)
  const balance = problems.attempt(() => resolveBalance(values.balance, input.host))
  const basis = resolveBasis(input, values, start, problems)
  const sticky = resolveSticky(values, problems, input.host)
  problems.attempt(() => checkSpares(values, basis, input.host))
  const logFiles = problems.attempt(() => (basis === undefined ? undefined : resolveLogFiles(values, basis.bases)))
  const onTerminal = input.isTTY && logFiles === undefined
  if (basis === undefined || balance === undefined || !problems.none) throw problems.toError()
  const runtimeDir = resolveRuntimeDir(values, basis.bases, input)
  const codeCache = codeCacheDir(runtimeDir.path, basis)
  return {
    name: values.name.value ?? deriveName(basis.script, basis.bases.cwd, input.host),
    launch: launchOf(basis, input.args ?? start.args ?? []),
    sizing: basis.sizing,
    shrinkAfterMs: values.shrinkAfterMs.value,
    core: coreSettings(values, basis.sizing),
    balance,
    sticky,
    balanceFrom: speaker(values.balance),
    rebalance: values.rebalance.value,
    lingerTimeoutMs: values.lingerTimeoutMs.value,
    closeSpreadMs: values.closeSpreadMs.value,
    drainDelayMs: values.drainDelayMs.value,
    waitReady: values.waitReady.value,
    killSignal: values.killSignal.value,
    vitals: values.vitals.value,
    metrics: values.metrics.value,
    admission: { probe: values.probe.value, warmUp: values.warmUp.value },
    health: {
      hangTimeoutMs: values.hangTimeoutMs.value,
      maxMemory: values.maxMemory.value,
      maxRequests: values.maxRequests.value,
      maxLifetimeMs: values.maxLifetimeMs.value,
    },
    logFormat: values.logFormat.value ?? (onTerminal ? 'pretty' : 'raw'),
    logFiles,
    logBuffer: values.logBuffer.value,
    color: values.color.value ?? (logFiles === undefined && colorFor(input.env, input.isTTY)),
    verbosity: values.verbosity.value,
    runtimeDir: runtimeDir.path,
    control: values.control.value,
    codeCacheDir: codeCache,
    compileCacheDir: input.host.hasCompileCache ? codeCache : undefined,
    warnings: [...(input.config?.warnings ?? []), ...misspeltVariables(input.env), ...runtimeDir.warnings, ...stopWarnings(values)],
    given: values,
  }
}

function checkSpares({ spares }: Values, basis: Basis | undefined, { platform }: Host): void {
  if (spares.value === 0) return
  if (platform === 'win32') throw settingError(`${spares.where}: on Windows a worker cannot wait to listen`)
  if (basis?.node.inspectPort !== undefined) throw settingError(`${spares.where}: the port of an inspector goes by the slot, and a spare has none`, 'Leave out one of --spare and --inspect.')
}

/** Of a stop that lasts longer than the one who asked for it may wait. Without a delay nobody has Kubernetes in mind. */
function stopWarnings({ drainDelayMs, gracefulTimeoutMs }: Values): readonly string[] {
  const totalMs = drainDelayMs.value + gracefulTimeoutMs.value
  if (drainDelayMs.value === 0 || totalMs <= KUBERNETES_GRACE_MS) return []
  return [`A stop may take ${formatDuration(totalMs)}, --drain-delay and --graceful-timeout together: Kubernetes kills after 30s, unless terminationGracePeriodSeconds is more.`]
}

/** By the name that the operator knows; a default has none. */
function speaker({ origin, where }: Found<unknown>): string {
  if (origin === 'config') return /\((.*)\)$/.exec(where)?.[1] ?? where
  return origin === 'flag' || origin === 'environment' ? (where.split(' ')[0] ?? origin) : origin
}

function resolveBasis(input: SettingsInput, values: Values, start: StartOptions, problems: Problems): Basis | undefined {
  const { host } = input
  const sizing = problems.attempt(() => resolveSizing(values.workers.value, readMachine(host)))
  const identity = problems.attempt(() => resolveIdentity(values.uid, values.gid, host))
  const bases = problems.attempt(() => resolveBases(values.cwd, input.cwd, input.config?.directory, host))
  if (bases === undefined) return undefined
  const files = problems.attempt(() => readEnvFiles(values.envFiles.value, baseOf(values.envFiles.origin, bases), host))
  const env = workerEnv({ files: files ?? {}, processEnv: input.env, extra: start.env ?? {}, port: values.port.value })
  const node = problems.attempt(() => resolveNodeArgs({ nodeArgs: values.nodeArgs, inspectPort: values.inspectPort.value, env, size: sizing?.most ?? 1 }))
  const script = problems.attempt(() => scriptOf(input, start.script, bases))
  if (script === undefined || node === undefined || identity === undefined || sizing === undefined) return undefined
  const typescript = problems.attempt(() => typescriptArgs({ script, nodeArgs: node.nodeArgs, nodeOptions: node.optionWords }, host))
  return { script, bases, sizing, identity, env, node: { ...node, nodeArgs: [...node.nodeArgs, ...(typescript ?? [])] } }
}

/** The script that was named, the config's, or one of the usual ones. @throws EverycoreError */
export function scriptOf({ script, config, host }: Pick<SettingsInput, 'script' | 'config' | 'host'>, configured: string | undefined, bases: Bases): string {
  if (script !== undefined) return findScript(script, bases.given, host)
  if (configured !== undefined) return findScript(configured, config === undefined ? bases.given : bases.config, host)
  return findScript(undefined, bases.cwd, host)
}

function launchOf({ script, bases, identity, env, node }: Basis, args: readonly string[]): Launch {
  const { NODE_OPTIONS: _, ...others } = env
  const withOptions = { ...others, ...(node.nodeOptions !== '' && { NODE_OPTIONS: node.nodeOptions ?? '' }) }
  return {
    script,
    args,
    cwd: bases.cwd,
    nodeArgs: node.nodeArgs,
    env: node.nodeOptions === undefined ? env : withOptions,
    ...identity,
    inspectPort: node.inspectPort,
  }
}

function coreSettings(values: Values, sizing: Sizing): CoreSettings {
  return {
    readyTimeoutMs: values.readyTimeoutMs.value,
    drainTimeoutMs: values.gracefulTimeoutMs.value,
    // Booting is CPU work: more at a time than cores only makes all of them late.
    bootParallel: sizing.auto,
    // As long as systemd's default interval for counting restarts (DefaultStartLimitIntervalSec).
    stableMs: 10_000,
    provenMs: values.minUptimeMs.value,
    canaryMs: values.canaryMs.value,
    surge: values.surge.value,
    maxDraining: MAX_DRAINING,
    spares: values.spares.value,
    // With the back-off below, the fifth failure comes some 5 s after the first of an app that dies at once.
    maxFailures: 5,
    backoff: { baseMs: 1000, factor: 1.5, capMs: 30_000, jitter: 0.1 },
  }
}

function resolveRuntimeDir(values: Values, bases: Bases, { env, host }: SettingsInput): RuntimeDir {
  const { value, origin } = values.runtimeDir
  if (value === undefined) return implicitRuntimeDir(env, host)
  return { path: explicitRuntimeDir(resolve(baseOf(origin, bases), value), host), warnings: [] }
}

/** Workers under another user could not write to it; and whoever sets one up, or none, knows why. */
function codeCacheDir(runtimeDir: string | undefined, { identity, env }: Basis): string | undefined {
  const isDropped = identity.uid !== undefined || identity.gid !== undefined
  const isChosen = env['NODE_COMPILE_CACHE'] !== undefined || env['NODE_DISABLE_COMPILE_CACHE'] !== undefined
  if (runtimeDir === undefined || isDropped || isChosen) return undefined
  return join(runtimeDir, COMPILE_CACHE)
}
