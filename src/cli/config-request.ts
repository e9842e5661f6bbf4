/** `everycore start ecosystem.config.js --env production`: a config in the place of a script. */
import { EverycoreError } from '../base/errors.ts'
import { plainRequest, type StartRequest } from './argv.ts'
import { parseRequest } from './program.ts'

/**
 * The request with the file as its config. What follows such a file is ours, as with PM2, and not the app's.
 *
 * @throws EverycoreError ERR_EVERYCORE_USAGE
 */
export async function asConfigRequest({ script = '', args, flags }: StartRequest): Promise<StartRequest> {
  const argv = ['start', ...args]
  const more = plainRequest(argv) ?? (await parseRequest(argv, () => {}))
  if (more?.script !== undefined) {
    throw new EverycoreError('ERR_EVERYCORE_USAGE', `${script} is a config file, and ${more.script} stands after it`, { hint: `Name apps of the config by --only, and a script alone: everycore --config ${script} ${more.script}` })
  }
  if (flags.config !== undefined || more?.flags.config !== undefined) throw new EverycoreError('ERR_EVERYCORE_USAGE', `${script} is a config file, and --config names another`, { hint: 'Name one.' })
  return { script: undefined, args: [], flags: { ...flags, ...more?.flags, config: { flag: '--config', texts: [script] } } }
}
