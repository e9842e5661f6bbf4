/**
 * The verbs: what can be asked of apps that run. One table, from which the parser, `--help`, docs/commands.md and the
 * completion of shells are made. Each has a file of its name in `cli/verbs/`, which is loaded when it is called.
 */

/** A flag of a verb. */
export interface VerbFlag {
  readonly short?: string
  /** Without the dashes. */
  readonly long: string
  /** What stands for the value; a flag without one is there or not. */
  readonly placeholder?: string
  /** All values that there are, where they are words. */
  readonly choices?: readonly string[]
  /** One line for the help. */
  readonly help: string
}

/** A word after the verb. */
export interface VerbArgument {
  readonly name: string
  readonly isOptional: boolean
  /** All that it may be, or what is most of use. */
  readonly choices?: readonly string[]
  readonly help: string
}

/** One verb. */
export interface Verb {
  readonly aliases: readonly string[]
  /** One line for the lists of verbs. */
  readonly summary: string
  /** What else there is to know; paragraphs. */
  readonly about: readonly string[]
  readonly args: readonly VerbArgument[]
  /** After its own words it takes those of `start`: options, script, arguments. */
  readonly takesStart?: true
  /** Besides those that all have. */
  readonly flags: readonly VerbFlag[]
  /** It concerns no app that runs. */
  readonly isOffline?: true
  /** Command lines and what they do. */
  readonly examples: readonly (readonly [line: string, meaning: string])[]
}

/** Every verb has these. */
export const COMMON_FLAGS: readonly VerbFlag[] = [
  { long: 'json', help: 'JSON on stdout, with a schemaVersion; errors too.' },
  { long: 'runtime-dir', placeholder: 'dir', help: 'Look for apps in this directory only.' },
]

/** Those that speak to one app have this, too. */
export const NAME_FLAG: VerbFlag = { short: 'n', long: 'name', placeholder: 'name', help: 'Which app; the only one that runs, if left out.' }

/** The argument that means the same. */
export const NAME_ARGUMENT: VerbArgument = { name: 'name', isOptional: true, help: 'Which app; the only one that runs, if left out.' }

const NAME = [NAME_ARGUMENT]

const SLOT: VerbArgument = { name: 'slot', isOptional: false, help: 'Which worker, by the slot that everycore status shows.' }

export const VERBS = {
  status: {
    aliases: [],
    summary: 'How an app and its workers are.',
    about: ['The first lines say in words how it is, the worst first. The table has as many columns as the terminal is wide; 150 hold all of them.'],
    args: NAME,
    flags: [NAME_FLAG],
    examples: [
      ['everycore status', 'the only app that runs'],
      ['everycore status shop --json', ''],
    ],
  },
  config: {
    aliases: [],
    summary: 'What a start here would run with, and where each value comes from.',
    about: ['It takes the options of start, and starts nothing. Of the variables of the app it tells the names only.'],
    isOffline: true,
    args: [],
    flags: [{ long: 'schema', help: 'The JSON Schema of config files instead.' }],
    takesStart: true,
    examples: [
      ['everycore config', 'every setting, value and origin'],
      ['everycore config --only api --json', ''],
      ['everycore config -w 4 server.js', 'what if'],
    ],
  },
  check: {
    aliases: [],
    summary: 'Whether a start here would find all in order. Starts nothing.',
    about: ['It reads the config, its env files and the options, looks for the scripts and has Node.js parse them. Everything that is wrong is told at once. Exit codes: 0 for nothing, 2 for settings, 4 for a config or a script that cannot be loaded.'],
    isOffline: true,
    args: [],
    flags: [],
    takesStart: true,
    examples: [
      ['everycore check', ''],
      ['everycore check ecosystem.config.js', 'what everycore makes of a file of PM2'],
    ],
  },
  init: {
    aliases: [],
    summary: 'Writes everycore.config.mjs with every setting as a comment.',
    about: ['It overwrites nothing.'],
    isOffline: true,
    args: [],
    flags: [],
    examples: [['everycore init', '']],
  },
  migrate: {
    aliases: [],
    summary: 'Makes a config of everycore from a file of PM2.',
    about: ['It prints the config, and what could not come along as comments in it. docs/from-pm2.md lists every key.'],
    isOffline: true,
    args: [
      { name: 'from', isOptional: false, help: 'pm2' },
      { name: 'file', isOptional: true, help: 'ecosystem.config.js and the like; looked for, if left out.' },
    ],
    flags: [{ long: 'write', help: 'Write it to everycore.config.mjs, if there is no config yet.' }],
    examples: [
      ['everycore migrate pm2', ''],
      ['everycore migrate pm2 apps.json --write', ''],
    ],
  },
  health: {
    aliases: [],
    summary: 'Ends with 0 when an app can serve, with 1 when it cannot.',
    about: ['It can when at least one worker is ready and no stop has begun. For HEALTHCHECK in a Dockerfile and the like.'],
    args: NAME,
    flags: [NAME_FLAG],
    examples: [['everycore health', '']],
  },
  logs: {
    aliases: [],
    summary: 'What workers and supervisor have written lately.',
    about: [
      'The supervisor remembers the newest output, 1 MB of it (--log-buffer), wherever else it goes. On a terminal the lines look as those of everycore itself; elsewhere they are as they were written.',
      'With -f the lines that come follow, also those of the supervisor that takes over in an upgrade, until the app has ended.',
    ],
    args: [NAME_ARGUMENT],
    flags: [
      { short: 'f', long: 'follow', help: 'Go on with the lines that come.' },
      { short: 'n', long: 'lines', placeholder: 'n', help: 'How many of the newest lines; 100 if left out, and all with --since.' },
      { long: 'worker', placeholder: 'slot', help: 'Only the lines of the worker in this slot.' },
      { long: 'level', placeholder: 'level', help: 'Only this level and above: trace, debug, info, warn, error, fatal.' },
      { long: 'grep', placeholder: 'regex', help: 'Only lines in which this regular expression is found.' },
      { long: 'since', placeholder: 'time', help: 'Only lines since then: 10m ago, or 2026-01-31T12:00.' },
      { long: 'name', placeholder: 'name', help: 'Which app; the only one that runs, if left out.' },
    ],
    examples: [
      ['everycore logs -f', 'the last 100 lines, and what comes'],
      ['everycore logs --level warn --since 1h', 'what went wrong in the last hour'],
      ['everycore logs shop --worker 2 -n 1000 --json', 'one object a line'],
    ],
  },
  ls: {
    aliases: ['ps', 'list'],
    summary: 'The apps of this user that run.',
    about: ['Looks into all runtime directories that this user may have. Sockets that dead supervisors have left there are removed.'],
    args: [],
    flags: [],
    examples: [
      ['everycore ls', ''],
      ['everycore ls --json', ''],
    ],
  },
  reload: {
    aliases: [],
    summary: 'New code without a gap: each worker is replaced, start first.',
    about: [
      'Waits until all workers are replaced, and shows how far each slot is. Ctrl-C ends the waiting, not the reload.',
      'When a new worker fails, the old ones go on serving, and this ends with exit code 5, the reason, and the last lines of the new worker.',
    ],
    args: NAME,
    flags: [{ long: 'abort', help: 'Turn the reload under way back instead, and drop one that waits.' }, NAME_FLAG],
    examples: [
      ['everycore reload', 'as kill -USR2, but it waits'],
      ['everycore reload shop && notify-team', ''],
      ['everycore reload --abort', 'the old code again'],
    ],
  },
  restart: {
    aliases: [],
    summary: 'All workers at once: they drain, and when the last has left new ones start.',
    about: ['For a while nobody serves: connections wait in the socket that the supervisor holds. Only for releases that must not run beside the old one; there is no way back when the new code fails.'],
    args: NAME,
    flags: [NAME_FLAG],
    examples: [['everycore restart shop', '']],
  },
  stop: {
    aliases: [],
    summary: 'Ends an app: its workers finish what they have.',
    about: ['Waits until the supervisor has ended. Ctrl-C ends the waiting, not the stop.'],
    args: NAME,
    flags: [{ short: 'f', long: 'force', help: 'Kill at once; also after a stop that takes too long.' }, NAME_FLAG],
    examples: [
      ['everycore stop', 'as kill -TERM, but it waits'],
      ['everycore stop shop --force', ''],
    ],
  },
  scale: {
    aliases: [],
    summary: 'Changes the number of workers.',
    about: ['Waits until that many are ready and the surplus has left. The number is forgotten when the app is started anew.'],
    args: [{ name: 'size', isOptional: false, choices: ['auto', '+1', '-1'], help: '1 to 1024, +1, -1, or auto: as many as the machine gives, also when that changes.' }, NAME_ARGUMENT],
    flags: [NAME_FLAG],
    examples: [
      ['everycore scale 4', ''],
      ['everycore scale +1 shop', ''],
      ['everycore scale auto', ''],
    ],
  },
  generate: {
    aliases: [],
    summary: 'Files for systemd, Docker, Kubernetes, Compose, Grafana and Prometheus.',
    about: [
      'The files are for the app and the options that would start it: put `everycore generate systemd` before them. Variables of this shell are left out, since the service will not have them.',
      'They are printed. With several, a comment before each has its name.',
    ],
    args: [{ name: 'target', isOptional: false, help: 'systemd, docker, kubernetes, compose, grafana or alerts.' }],
    takesStart: true,
    flags: [
      { long: 'write', help: 'Write them into the directory of the app; what is there already stays.' },
      { long: 'force', help: 'With --write: replace what is there.' },
      { long: 'socket', help: 'systemd: a socket unit, too. The port is kept while the service is down.' },
      { long: 'image', placeholder: 'name', help: 'kubernetes, compose: the image, instead of the name of the app.' },
    ],
    examples: [
      ['everycore generate systemd server.js', ''],
      ['everycore generate docker --write -p 3000 dist/server.js', ''],
      ['everycore generate kubernetes --image registry/shop:1.4.2 server.js', ''],
      ['everycore generate alerts', ''],
    ],
  },
  inspect: {
    aliases: [],
    summary: 'Opens the inspector of one worker, for Chrome DevTools or an editor.',
    about: [
      'It listens on 127.0.0.1 only, on a free port, until Ctrl-C. While it is open, the worker may stand at a breakpoint: nobody kills it for hanging, and its clients wait.',
      'Whoever has an account on the machine can reach it, and run code in the worker.',
    ],
    args: [SLOT, NAME_ARGUMENT],
    flags: [{ long: 'close', help: 'Close the one that somebody else has open.' }, NAME_FLAG],
    examples: [
      ['everycore inspect 0', ''],
      ['everycore inspect 1 shop --json', 'one line when it is open, one at the end'],
    ],
  },
  profile: {
    aliases: [],
    summary: 'A CPU profile, heap snapshot or allocation profile of one worker.',
    about: [
      'The file opens in Chrome DevTools, VS Code or speedscope. It is for its owner only (0600), and written whole or not at all; one that is there is not touched. A heap snapshot holds all that the worker has in memory, passwords too.',
      'A heap snapshot stops the worker, for seconds or minutes, and takes many times the memory of its heap. What it will cost is told first; on a terminal you are asked, elsewhere --yes is needed.',
    ],
    args: [{ name: 'kind', isOptional: false, choices: ['cpu', 'heap'], help: 'cpu: where the time goes. heap: what is in memory.' }, SLOT, NAME_ARGUMENT],
    flags: [
      { short: 's', long: 'seconds', placeholder: 'n', help: 'How long, for cpu and for heap --sampling: 1 to 600, default 10.' },
      { short: 'o', long: 'output', placeholder: 'file', help: 'Where to; by default a name with app, slot and time in the working directory.' },
      { long: 'sampling', help: 'With heap: which functions allocate, by samples and without a pause (.heapprofile).' },
      { short: 'y', long: 'yes', help: 'Do not ask before a heap snapshot.' },
      NAME_FLAG,
    ],
    examples: [
      ['everycore profile cpu 0', 'ten seconds'],
      ['everycore profile cpu 0 shop -s 30 -o shop.cpuprofile', ''],
      ['everycore profile heap 0', 'asks first'],
      ['everycore profile heap 0 --sampling', 'no pause'],
    ],
  },
  doctor: {
    aliases: [],
    summary: 'Whether this machine suits: what is wrong, and what to do about it.',
    about: ['Looks at Node, cores and limits, sockets, directories and the environment of this shell, and changes nothing. Ends with 1 when something will not work; warnings are no reason.'],
    args: NAME,
    flags: [{ short: 'p', long: 'port', placeholder: 'port', help: 'Whether this TCP port is free, and who has it.' }, NAME_FLAG],
    examples: [
      ['everycore doctor', ''],
      ['everycore doctor -p 3000', ''],
      ['everycore doctor shop', 'with the ports of an app that runs'],
    ],
  },
  completion: {
    aliases: [],
    summary: 'A script with which a shell completes everycore.',
    about: [
      'Verbs, options, their values, names of running apps, files. For good: everycore completion bash > /etc/bash_completion.d/everycore; everycore completion zsh > "${fpath[1]}/_everycore"; everycore completion fish > ~/.config/fish/completions/everycore.fish',
    ],
    args: [{ name: 'shell', isOptional: false, choices: ['bash', 'zsh', 'fish'], help: 'bash, zsh or fish.' }],
    flags: [],
    examples: [['everycore completion bash', 'a script to be sourced']],
  },
  top: {
    aliases: ['monit'],
    summary: 'A live view: workers, curves, events, logs; keys reload and scale.',
    about: [
      'r reloads (asks first), + and - scale, l shows all logs, / filters them, Enter shows one worker, ? lists all keys, q quits. The app goes on.',
      'Needs a terminal, of any size, and works without colours (NO_COLOR) and without UTF-8. When the supervisor does not answer any more, it tries again for 30 s and then ends with exit code 3.',
    ],
    args: NAME,
    flags: [NAME_FLAG],
    examples: [
      ['everycore top', 'the only app that runs'],
      ['everycore top shop', ''],
    ],
  },
} as const satisfies Readonly<Record<string, Verb>>

/** Name of a verb. */
export type VerbName = keyof typeof VERBS

/** Every {@link VerbName}, in the order of the table. */
export const VERB_NAMES: readonly VerbName[] = (Object.keys(VERBS) as VerbName[])

/** The verb that a first word means, by its name or an alias; undefined when it is none. */
export function verbOf(word: string | undefined): VerbName | undefined {
  return VERB_NAMES.find((name) => name === word || verb(name).aliases.includes(word ?? ''))
}

/** {@link VERBS} for code that treats all alike. */
export function verb(name: VerbName): Verb {
  return VERBS[name]
}

/** All flags of a verb, its own first. `--runtime-dir` is one of `start`, too, and is that where both could be meant. */
export function flagsOf(name: VerbName): readonly VerbFlag[] {
  const { flags, takesStart = false } = verb(name)
  return [...flags, ...COMMON_FLAGS.filter(({ long }) => !takesStart || long === 'json')]
}
