/** `everycore generate docker`: a Dockerfile in two stages, and a .dockerignore. */
import { containerPort, containerWords, IMAGE_COMMAND, IMAGE_DIRECTORY, startSeconds, stopSeconds } from './container.ts'
import type { Deployment, GeneratedFile, LockFile } from './deployment.ts'
import { quoted } from './yaml.ts'

/** Node's current LTS line. */
const IMAGE = 'node:24-slim'

interface PackageManager {
  readonly prepare: readonly string[]
  readonly copied: string
  readonly install: string
  readonly prune: string
}

/** By lock file. `npm install` where there is none. */
const PACKAGE_MANAGERS: Readonly<Record<LockFile | 'none', PackageManager>> = {
  'package-lock.json': { prepare: [], copied: 'package.json package-lock.json', install: 'npm ci', prune: 'npm prune --omit=dev' },
  'pnpm-lock.yaml': { prepare: ['RUN corepack enable'], copied: 'package.json pnpm-lock.yaml', install: 'pnpm install --frozen-lockfile', prune: 'pnpm prune --prod' },
  'yarn.lock': { prepare: [], copied: 'package.json yarn.lock', install: 'yarn install --frozen-lockfile', prune: 'yarn install --production --ignore-scripts --prefer-offline' },
  none: { prepare: [], copied: 'package.json', install: 'npm install', prune: 'npm prune --omit=dev' },
}

/**
 * The files of an image. `everycore` is expected among the dependencies of the app.
 *
 * @see https://docs.docker.com/reference/dockerfile/
 * @throws EverycoreError ERR_EVERYCORE_GENERATE when the script or the config is not in the directory of the app.
 */
export function dockerFiles(deployment: Deployment): readonly GeneratedFile[] {
  return [
    { path: 'Dockerfile', text: dockerfile(deployment) },
    { path: '.dockerignore', text: DOCKERIGNORE },
  ]
}

function dockerfile(deployment: Deployment): string {
  const { prepare, copied, install, prune } = PACKAGE_MANAGERS[deployment.lockFile ?? 'none']
  const healthy = json(['node', IMAGE_COMMAND, 'health'])
  return `${[
    `# Run it with --init if the app starts processes, and with --stop-timeout ${stopSeconds(deployment, deployment.drainDelayMs)}: Docker kills after 10 s otherwise.`,
    '# Workers: one for each core that --cpus grants. With --cpus 1, or one container for each core, there is',
    '# one worker: everycore then restarts it, drains it and reloads it, and spreads nothing.',
    `FROM ${IMAGE} AS build`,
    `WORKDIR ${IMAGE_DIRECTORY}`,
    ...prepare,
    '# Before the sources, so that a change of them does not install anew.',
    `COPY ${copied} ./`,
    `RUN ${install}`,
    'COPY . .',
    `RUN npm run build --if-present && ${prune}`,
    '',
    `FROM ${IMAGE}`,
    'ENV NODE_ENV=production',
    `WORKDIR ${IMAGE_DIRECTORY}`,
    '# They stay those of root: the app cannot change its own code.',
    `COPY --from=build ${IMAGE_DIRECTORY} ./`,
    'USER node',
    `EXPOSE ${containerPort(deployment)}`,
    'STOPSIGNAL SIGTERM',
    '# Healthy is what /readyz says; asked on the control socket, so that no curl is needed.',
    `HEALTHCHECK --interval=10s --timeout=3s --start-period=${startSeconds(deployment)}s --retries=3 CMD ${healthy}`,
    '# node and the file by their names: npm, npx or a shell as process 1 would swallow SIGTERM.',
    `ENTRYPOINT ${json(['node', IMAGE_COMMAND, 'start'])}`,
    `CMD ${json(containerWords(deployment))}`,
  ].join('\n')}\n`
}

/** The form of a command that no shell reads and in which no variable is expanded. */
function json(words: readonly string[]): string {
  return `[${words.map(quoted).join(', ')}]`
}

const DOCKERIGNORE = `# Made anew in the image.
node_modules
# Secrets belong into the environment of the container, not into a layer of the image.
.env
.env.*
.npmrc
*.pem
*.key
.git
.gitignore
.dockerignore
Dockerfile
compose.yaml
kubernetes.yaml
*.log
coverage
`
