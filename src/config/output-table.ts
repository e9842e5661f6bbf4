import { KINDS } from './kinds.ts'
import { derived, setting } from './setting.ts'

/** The part of the table about what is written, and where. */
export const OUTPUT_SETTINGS = {
  logFormat: setting({
    flags: [{ long: 'log-format', placeholder: 'pretty|json|raw', help: 'Form of the output; raw leaves the lines of the app as they are.' }],
    variables: ['EVERYCORE_LOG_FORMAT'],
    kind: KINDS.logFormat,
    default: derived('pretty on a terminal, else raw', 'People get colours; whatever reads a pipe gets the lines that the app wrote.'),
    group: 'Output',
  }),
  color: setting({
    flags: [
      { long: 'color', sets: 'true', help: 'Colours, also without a terminal.' },
      { long: 'no-color', sets: 'false', help: 'No colours. NO_COLOR and FORCE_COLOR are honoured.' },
    ],
    variables: ['EVERYCORE_COLOR'],
    kind: KINDS.flag,
    default: derived('on a terminal', 'Escape sequences in files help nobody.'),
    group: 'Output',
  }),
  verbosity: setting({
    flags: [
      { short: 'q', long: 'quiet', sets: 'quiet', help: 'Warnings and errors only.' },
      { short: 'v', long: 'verbose', sets: 'verbose', help: 'Every step of every worker.' },
    ],
    variables: ['EVERYCORE_VERBOSITY'],
    kind: KINDS.verbosity,
    default: { value: 'normal', text: 'normal', reason: 'A start and a stop of a few lines, and what needs attention.' },
    group: 'Output',
  }),
  logFile: setting({
    flags: [{ long: 'log-file', placeholder: 'file', help: 'All output goes to this file, and none to stdout and stderr.' }],
    variables: ['EVERYCORE_LOG_FILE'],
    kind: KINDS.path,
    default: derived('none', 'systemd, Docker and Kubernetes take stdout and stderr.'),
    group: 'Output',
  }),
  errorFile: setting({
    flags: [{ long: 'error-file', placeholder: 'file', help: 'With --log-file: what would go to stderr goes to this file.' }],
    variables: ['EVERYCORE_ERROR_FILE'],
    kind: KINDS.path,
    default: derived('the log file', 'Lines in one file keep their order.'),
    group: 'Output',
  }),
  logMaxSize: setting({
    flags: [{ long: 'log-max-size', placeholder: 'size', help: 'A log file that would become larger is rotated; 0 never.' }],
    variables: ['EVERYCORE_LOG_MAX_SIZE'],
    kind: KINDS.logSize,
    default: { value: 10 * 1024 * 1024, text: '10M', reason: 'With --log-keep a log takes 60 MB at most: no log should fill a disk.' },
    group: 'Output',
  }),
  logRotateEveryMs: setting({
    flags: [{ long: 'log-rotate-every', placeholder: 'time', help: 'A new log file for each such stretch of time, from midnight on: 1d, 1h.' }],
    variables: ['EVERYCORE_LOG_ROTATE_EVERY'],
    kind: KINDS.rotateEvery,
    default: { value: 0, text: 'off', reason: 'The size is what fills a disk.' },
    group: 'Output',
  }),
  logKeep: setting({
    flags: [{ long: 'log-keep', placeholder: 'n', help: 'How many older log files are kept, from file.1, the newest, on.' }],
    variables: ['EVERYCORE_LOG_KEEP'],
    kind: KINDS.keep,
    default: { value: 5, text: '5', reason: 'Some days of a quiet service, and a bound on what a loud one takes.' },
    group: 'Output',
  }),
  logMaxAgeMs: setting({
    flags: [{ long: 'log-max-age', placeholder: 'time', help: 'Older log files are removed when they have not been written to for so long.' }],
    variables: ['EVERYCORE_LOG_MAX_AGE'],
    kind: KINDS.age,
    default: { value: 0, text: 'off', reason: 'How long a log may or must be kept only its operator knows.' },
    group: 'Output',
  }),
  logBuffer: setting({
    flags: [{ long: 'log-buffer', placeholder: 'size', help: 'How much of the newest output is remembered for `everycore logs`; 0 nothing.' }],
    variables: ['EVERYCORE_LOG_BUFFER'],
    kind: KINDS.logBuffer,
    default: { value: 1024 * 1024, text: '1M', reason: 'Some thousand lines, little beside the 50 MB of a Node process.' },
    group: 'Output',
  }),
} as const
