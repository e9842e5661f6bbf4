/** What Docker, Compose and Kubernetes have in common: paths in the image, command line, how long a stop may take. */
import { cannotGenerate, seconds, startWords, type Deployment } from './deployment.ts'

export interface ImageOptions {
  /** Undefined: the name of the app. */
  readonly image: string | undefined
}

/** Where the app is in the image. */
export const IMAGE_DIRECTORY = '/app'
/** Where the app listens when nobody said so. */
const DEFAULT_PORT = 3000
/** Of probes and metrics; conventional for everycore. */
export const METRICS_PORT = 9300
/** From the last worker's end to the end of the process. */
const STOP_MARGIN_S = 5
/** What the supervisor itself takes, and some more. */
const SUPERVISOR_BYTES = 128 * 1024 ** 2
/** For a worker of which nothing is known. */
const WORKER_BYTES = 256 * 1024 ** 2
/** In everycore, a worker with half as much again as `--max-memory` is killed. */
const KILLED_AT = 1.5

/** The file that is the command, in the image. */
export const IMAGE_COMMAND = `${IMAGE_DIRECTORY}/node_modules/everycore/dist/cli.cjs`

/** The port of the app in its container. */
export function containerPort({ port }: Deployment): number {
  return port === undefined || port === 0 ? DEFAULT_PORT : port
}

/**
 * The words for everycore in a container: files below {@link IMAGE_DIRECTORY}, the port given, no change of the
 * user, since the image has its own.
 *
 * @throws EverycoreError ERR_EVERYCORE_GENERATE when the script or the config is not in the directory of the app.
 */
export function containerWords(deployment: Deployment, changes: Readonly<Record<string, readonly string[]>> = {}): readonly string[] {
  const fixed = { uid: [], gid: [], runtimeDir: [], port: ['--port', String(containerPort(deployment))] }
  return startWords(deployment, (path) => inImage(path, deployment), { ...fixed, ...changes })
}

function inImage(file: string, { directory }: Deployment): string {
  const prefix = directory.endsWith('/') ? directory : `${directory}/`
  if (!file.startsWith(prefix)) throw cannotGenerate(`${file} is not below ${directory}`, 'The image holds the directory of the app, and what it runs must be in it.', "Run this in the directory of the app's package.json, or name it by --cwd.")
  const path = file.slice(prefix.length)
  // A name that begins with a dash would be taken for an option.
  return path.startsWith('-') ? `./${path}` : path
}

/** How long a stop may take, in seconds: delay, drain, and a margin. */
export function stopSeconds({ gracefulTimeoutMs }: Deployment, drainDelayMs: number): number {
  return seconds(drainDelayMs) + seconds(gracefulTimeoutMs) + STOP_MARGIN_S
}

/**
 * Memory for so many workers, one more that takes the place of another in a reload, and the supervisor; in bytes,
 * rounded up to 64 MiB.
 */
export function memoryFor(workers: number, { maxMemory }: Deployment): number {
  const bytes = (workers + 1) * (maxMemory === undefined ? WORKER_BYTES : maxMemory * KILLED_AT) + SUPERVISOR_BYTES
  const step = 64 * 1024 ** 2
  return Math.ceil(bytes / step) * step
}

/** Seconds until the start has failed; `everycore` itself ends by then. */
export function startSeconds({ readyTimeoutMs }: Deployment): number {
  return readyTimeoutMs === 0 ? LONG_START_S : seconds(readyTimeoutMs) + STOP_MARGIN_S
}

/** With `--ready-timeout 0`, which waits for ever: no probe can. */
const LONG_START_S = 600

/** Probes come from outside of the container, so that loopback, the default, would not do. */
export const METRICS_WORDS: Readonly<Record<string, readonly string[]>> = { metrics: [`--metrics=0.0.0.0:${METRICS_PORT}`] }
