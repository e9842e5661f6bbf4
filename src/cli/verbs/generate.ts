/** `everycore generate`: prints or writes files for whoever runs the app. */
import { existsSync, writeFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { EverycoreError } from '../../base/errors.ts'
import { EXIT } from '../../base/exit-codes.ts'
import { nearest } from '../../base/nearest.ts'
import { nodeHost } from '../../config/host.ts'
import { errnoOf } from '../../config/problems.ts'
import { alertFiles } from '../../generate/alerts.ts'
import { composeFiles } from '../../generate/compose.ts'
import { cannotGenerate, type Deployment, type GeneratedFile } from '../../generate/deployment.ts'
import { dockerFiles } from '../../generate/docker.ts'
import { grafanaFiles } from '../../generate/grafana.ts'
import { kubernetesFiles } from '../../generate/kubernetes.ts'
import { systemdFiles } from '../../generate/systemd.ts'
import { isSet, printJson, textFlag, type VerbCall } from './call.ts'
import { deploymentOf } from './deployment.ts'

/** Version of the document of `--json`. */
const SCHEMA = 1

interface Target {
  /** Flags of this verb that mean something for it. */
  readonly flags: readonly string[]
  readonly files: (deployment: () => Promise<Deployment>, call: VerbCall) => Promise<readonly GeneratedFile[]>
}

const TARGETS = {
  systemd: { flags: ['socket'], files: async (deployment, call) => systemdFiles(installed(await deployment()), { socket: isSet(call, 'socket') }) },
  docker: { flags: [], files: async (deployment) => dockerFiles(await deployment()) },
  kubernetes: { flags: ['image'], files: async (deployment, call) => kubernetesFiles(await deployment(), { image: textFlag(call, 'image') }) },
  compose: { flags: ['image'], files: async (deployment, call) => composeFiles(await deployment(), { image: textFlag(call, 'image') }) },
  grafana: { flags: [], files: async () => grafanaFiles() },
  alerts: { flags: [], files: async () => alertFiles() },
} as const satisfies Readonly<Record<string, Target>>

/** Flags that mean something for some targets only. */
const SPECIAL = ['socket', 'image'] as const

export async function runGenerate(call: VerbCall): Promise<number> {
  // After `--help` there is nothing to start.
  if (call.start === undefined) return EXIT.ok
  const { start, streams } = call
  const target = targetOf(call)
  let directory = resolve(start.flags.cwd?.texts.at(-1) ?? '.')
  const files = await target.files(async () => {
    const deployment = await deploymentOf(start, streams, nodeHost())
    directory = deployment.directory
    return deployment
  }, call)
  const isWriting = isSet(call, 'write')
  if (isWriting) write(files, directory, isSet(call, 'force'))
  if (isSet(call, 'json')) printJson(call, { schemaVersion: SCHEMA, written: isWriting, files })
  else streams.stdout.write(isWriting ? files.map(({ path }) => `wrote ${path}\n`).join('') : printed(files))
  return EXIT.ok
}

function targetOf(call: VerbCall): Target {
  const [name = ''] = call.args
  if (!Object.hasOwn(TARGETS, name)) {
    const meant = name === 'k8s' ? 'kubernetes' : nearest(name, Object.keys(TARGETS))
    throw new EverycoreError('ERR_EVERYCORE_USAGE', `there is nothing to generate for ${name}`, { hint: meant === undefined ? `There is: ${Object.keys(TARGETS).join(', ')}.` : `Did you mean everycore generate ${meant}?` })
  }
  const target: Target = TARGETS[name as keyof typeof TARGETS]
  const useless = SPECIAL.find((flag) => isSet(call, flag) && !target.flags.includes(flag))
  if (useless !== undefined) throw new EverycoreError('ERR_EVERYCORE_USAGE', `--${useless} means nothing for ${name}`, { hint: 'everycore generate --help tells what it is for.' })
  if (isSet(call, 'force') && !isSet(call, 'write')) throw new EverycoreError('ERR_EVERYCORE_USAGE', '--force means nothing without --write', { hint: 'Without --write, nothing is written that could be in the way.' })
  return target
}

/** A unit outlives what npx has fetched. */
function installed(deployment: Deployment): Deployment {
  if (!deployment.command.includes(`${sep}_npx${sep}`)) return deployment
  throw cannotGenerate('everycore is not installed here', `${deployment.command} is in the cache of npx, which is emptied some day.`, 'Install it with the app: npm install everycore.')
}

/** A single one as it is, so that it can be sent to a file; several with their names. All these formats know such comments. */
function printed(files: readonly GeneratedFile[]): string {
  const [only, ...others] = files
  return only !== undefined && others.length === 0 ? only.text : files.map(({ path, text }) => `# File: ${path}\n${text}`).join('\n')
}

/** All or none, as far as what is in the way goes. */
function write(files: readonly GeneratedFile[], directory: string, isForced: boolean): void {
  const there = files.filter(({ path }) => existsSync(join(directory, path))).map(({ path }) => path)
  if (there.length > 0 && !isForced) throw cannotGenerate(`${there.join(' and ')} ${there.length === 1 ? 'is' : 'are'} there already`, 'Nothing was written.', 'Look at what it says without --write first; --force replaces it.')
  for (const { path, text } of files) {
    const to = join(directory, path)
    try {
      // Exclusive, too: it follows no symbolic link that somebody has put there meanwhile.
      writeFileSync(to, text, { flag: isForced ? 'w' : 'wx' })
    } catch (error) {
      throw cannotGenerate(`cannot write ${relative(directory, to)}`, `${errnoOf(error)} in ${directory}.`, 'Check the permissions of the directory.')
    }
  }
}
