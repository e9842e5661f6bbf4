import type { Environment } from './collect.ts'
import { takeInspect } from './inspect.ts'
import { settingError } from './problems.ts'
import type { Found } from './types.ts'
import { joinNodeOptions, splitWords } from './words.ts'

/** Arguments with which node does something else than run the script. */
const NOT_RUNNING = new Set(['-e', '--eval', '-p', '--print', '-pe', '-i', '--interactive', '-c', '--check', '-v', '--version', '-h', '--help', '--test', '--watch', '--run', '--', '-'])

/** What {@link resolveNodeArgs} looks at. */
export interface NodeArgsInput {
  readonly nodeArgs: Found<readonly string[]>
  /** The setting of its own, which wins over `--inspect` in node arguments. */
  readonly inspectPort: number | undefined
  /** Environment of the workers. */
  readonly env: Environment
  /** Number of workers: each gets a port. */
  readonly size: number
}

/** How node is called. */
export interface NodeArgs {
  readonly nodeArgs: readonly string[]
  /** The words of NODE_OPTIONS as it came. */
  readonly optionWords: readonly string[]
  /** NODE_OPTIONS for the workers; undefined when it can stay as it is. */
  readonly nodeOptions: string | undefined
  readonly inspectPort: number | undefined
}

/**
 * The arguments for node that were given, without what the supervisor does itself.
 *
 * @throws EverycoreError ERR_EVERYCORE_SETTING
 */
export function resolveNodeArgs(input: NodeArgsInput): NodeArgs {
  const { nodeArgs, env, size } = input
  checkNodeArgs(nodeArgs)
  const fromArgs = takeInspect(nodeArgs.value, nodeArgs.where)
  // An unclosed quote is for node to complain about.
  const options = splitWords(env['NODE_OPTIONS'] ?? '', 'node') ?? []
  const fromOptions = takeInspect(options, 'NODE_OPTIONS (environment)')
  // NODE_OPTIONS holds for us too: the port that it names is already taken, by the supervisor.
  const inspectPort = input.inspectPort ?? fromArgs.port ?? (fromOptions.port === undefined ? undefined : fromOptions.port + 1)
  if (inspectPort !== undefined && inspectPort + size - 1 > 65_535) {
    throw settingError(`--inspect: ${size} workers need the ports from ${inspectPort} to ${inspectPort + size - 1}; the last one is 65535`)
  }
  return {
    nodeArgs: fromArgs.rest,
    optionWords: options,
    nodeOptions: fromOptions.rest.length === options.length ? undefined : joinNodeOptions(fromOptions.rest),
    inspectPort,
  }
}

function checkNodeArgs({ value, where }: Found<readonly string[]>): void {
  const [first] = value
  if (first !== undefined && !first.startsWith('-')) {
    throw settingError(`${where}: ${JSON.stringify(first)} is not an argument for node, which starts with a dash`, 'Arguments for the app stand after the script.')
  }
  const refused = value.find((arg) => NOT_RUNNING.has(arg.replace(/=.*$/s, '')))
  if (refused !== undefined) throw settingError(`${where}: with ${refused} node does not run the script`)
}
