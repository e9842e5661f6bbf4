/** `everycore generate compose`: a service for Docker Compose. */
import { formatDuration } from '../base/units.ts'
import { containerPort, containerWords, IMAGE_COMMAND, memoryFor, startSeconds, stopSeconds, type ImageOptions } from './container.ts'
import type { Deployment, GeneratedFile } from './deployment.ts'
import { noted, yamlFile, type Yaml } from './yaml.ts'

/** Of a container whose number of workers follows its CPU limit. */
const CPUS = 2

/**
 * A file with one service, built from the Dockerfile beside it.
 *
 * @see https://github.com/compose-spec/compose-spec/blob/main/spec.md
 * @throws EverycoreError ERR_EVERYCORE_GENERATE when the script or the config is not in the directory of the app.
 */
export function composeFiles(deployment: Deployment, { image }: ImageOptions): readonly GeneratedFile[] {
  const name = serviceName(deployment.name)
  return [{ path: 'compose.yaml', text: yamlFile([{ services: { [name]: service(deployment, image ?? name) } }]) }]
}

/** Lower case letters, digits, dashes and underscores; a letter or digit first. */
function serviceName(name: string): string {
  const clean = name.toLowerCase().replaceAll(/[^a-z0-9_-]+/g, '-').replaceAll(/^[-_]+/g, '')
  return clean === '' ? 'app' : clean
}

function service(deployment: Deployment, image: string): Yaml {
  const { workers, drainDelayMs, gracefulTimeoutMs } = deployment
  const count = workers?.kind === 'count' ? workers.count : CPUS
  const port = containerPort(deployment)
  const delay = drainDelayMs === 0 ? '' : `--drain-delay ${formatDuration(drainDelayMs)}, `
  return {
    image: literal(image),
    build: noted('The Dockerfile: everycore generate docker --write.', '.'),
    command: containerWords(deployment).map(literal),
    init: noted('Process 1 is then one that waits for processes which the app has left behind.', true),
    environment: { NODE_ENV: 'production' },
    ports: [`${port}:${port}`],
    restart: 'unless-stopped',
    stop_grace_period: noted(`${delay}--graceful-timeout ${formatDuration(gracefulTimeoutMs)}, and a margin. Docker kills after 10 s otherwise.`, `${stopSeconds(deployment, drainDelayMs)}s`),
    healthcheck: {
      test: noted('What /readyz says; asked on the control socket, so that no curl is needed.', ['CMD', 'node', IMAGE_COMMAND, 'health']),
      interval: '10s',
      timeout: '3s',
      start_period: `${startSeconds(deployment)}s`,
      retries: 3,
    },
    deploy: {
      resources: {
        limits: noted(
          workers?.kind === 'count' ? 'A core for each worker, and one more for garbage collection, zlib, TLS.' : 'The number of workers follows cpus: one for each whole core.',
          { cpus: String(workers?.kind === 'count' ? count + 1 : count), memory: `${memoryFor(count, deployment) / 1024 ** 2}M` },
        ),
      },
    },
    read_only: noted('All but /tmp, where the control socket is.', true),
    tmpfs: ['/tmp'],
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
  }
}

/** Compose puts variables in the place of $NAME. */
function literal(word: string): string {
  return word.replaceAll('$', '$$$$')
}
