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
  /** One line for the help. */
  readonly help: string
}

/** A word after the verb. */
export interface VerbArgument {
  readonly name: string
  readonly isOptional: boolean
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
  /** Besides those that all have. */
  readonly flags: readonly VerbFlag[]
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
    args: [{ name: 'size', isOptional: false, help: '1 to 1024, +1, -1, or auto: as many as the machine gives, also when that changes.' }, NAME_ARGUMENT],
    flags: [NAME_FLAG],
    examples: [
      ['everycore scale 4', ''],
      ['everycore scale +1 shop', ''],
      ['everycore scale auto', ''],
    ],
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

/** All flags of a verb, its own first. */
export function flagsOf(name: VerbName): readonly VerbFlag[] {
  return [...verb(name).flags, ...COMMON_FLAGS]
}
