import { KINDS } from './kinds.ts'
import { METRICS_SETTINGS } from './metrics-table.ts'
import { OUTPUT_SETTINGS } from './output-table.ts'
import { derived, setting, type Setting } from './setting.ts'
import { BALANCES } from './types.ts'

/**
 * Every setting, once. The key is the name of the library's option; command line, environment, help and
 * the generated reference all read this table.
 */
export const SETTINGS = {
  workers: setting({
    flags: [{ short: 'w', long: 'workers', placeholder: 'n|auto|max|50%|-1|2-8', help: 'How many workers to run; with two ends, as the load needs.' }],
    variables: ['EVERYCORE_WORKERS', 'WEB_CONCURRENCY'],
    kind: KINDS.workers,
    default: { value: { kind: 'auto', asked: 'auto' }, text: 'auto', reason: 'One worker per core that the process may use, by CPU affinity and CPU quota: more only switch more.' },
    group: 'Workers',
  }),
  shrinkAfterMs: setting({
    flags: [{ long: 'shrink-after', placeholder: 'time', help: 'With --workers 2-8: one worker less when the load has been low for so long.' }],
    variables: ['EVERYCORE_SHRINK_AFTER'],
    kind: KINDS.shrinkAfter,
    default: { value: 60_000, text: '60s', reason: 'Loads come in waves; a worker that stays for one more costs only memory, one that is missing costs time.' },
    group: 'Workers',
  }),
  balance: setting({
    flags: [{ long: 'balance', placeholder: BALANCES.join('|'), help: 'How connections are spread over the workers.' }],
    variables: ['EVERYCORE_BALANCE'],
    kind: KINDS.balance,
    default: { value: 'least-busy', text: 'least-busy', reason: 'Even like round-robin for connections that stay, and as quick as a shared queue for those that do not.' },
    group: 'Workers',
  }),
  sticky: setting({
    flags: [{ long: 'sticky', placeholder: 'ip|cookie[:name]|header:name', help: 'Each client to one worker, told apart by address, cookie or header.' }],
    variables: ['EVERYCORE_STICKY'],
    kind: KINDS.sticky,
    default: derived('off', 'Only sessions in memory need it, and it makes the load less even.'),
    group: 'Workers',
  }),
  trustedProxies: setting({
    flags: [{ long: 'trusted-proxies', placeholder: 'addresses', help: 'Whose X-Forwarded-For and PROXY header --sticky ip believes: 10.0.0.0/8,unix.' }],
    repeatable: true,
    variables: ['EVERYCORE_TRUSTED_PROXIES'],
    kind: KINDS.addresses,
    default: { value: [], text: 'none', reason: 'Anybody can send such a header.' },
    group: 'Workers',
  }),
  stickyFactor: setting({
    flags: [{ long: 'sticky-factor', placeholder: 'n', help: 'A worker with n times the mean of connections gets no further clients.' }],
    variables: ['EVERYCORE_STICKY_FACTOR'],
    kind: KINDS.factor,
    default: { value: 1.25, text: '1.25', reason: 'Consistent hashing with bounded loads: a quarter more than the mean costs few moves.' },
    group: 'Workers',
  }),
  rebalance: setting({
    flags: [
      { long: 'rebalance', sets: 'true', help: 'Idle keep-alive connections move from workers that have more to those that have fewer.' },
      { long: 'no-rebalance', sets: 'false', help: 'Each connection stays on the worker that serves it.' },
    ],
    variables: ['EVERYCORE_REBALANCE'],
    kind: KINDS.flag,
    default: { value: true, text: 'yes', reason: 'Without it, clients that are connected for long stay where they have gathered, and new workers get only new ones.' },
    group: 'Workers',
  }),
  nodeArgs: setting({
    flags: [{ long: 'node-args', placeholder: 'args', help: 'Arguments for node, as one word: "--import ./otel.mjs".' }],
    repeatable: true,
    variables: ['EVERYCORE_NODE_ARGS'],
    kind: KINDS.words,
    default: { value: [], text: 'none', reason: 'The app runs as `node script` would run it.' },
    group: 'Workers',
  }),
  inspectPort: setting({
    flags: [{ long: 'inspect', placeholder: 'port', sets: '9229', help: "Inspector on 127.0.0.1; worker n listens on port+n (9229 if no port is given)." }],
    variables: ['EVERYCORE_INSPECT'],
    kind: KINDS.inspectPort,
    default: derived('off', 'An open inspector runs any code for whoever reaches it.'),
    group: 'Workers',
  }),
  port: setting({
    flags: [{ short: 'p', long: 'port', placeholder: 'port', help: 'Sets PORT for the app.' }],
    variables: ['EVERYCORE_PORT'],
    kind: KINDS.port,
    default: derived('PORT as it is', 'Where the app listens is its own affair.'),
    group: 'App',
  }),
  name: setting({
    flags: [{ short: 'n', long: 'name', placeholder: 'name', help: 'Name of the app in output and paths.' }],
    variables: ['EVERYCORE_NAME'],
    kind: KINDS.name,
    default: derived('name in package.json, else of the script', 'It is the name that the people who run the app already use.'),
    group: 'App',
  }),
  cwd: setting({
    flags: [{ long: 'cwd', placeholder: 'dir', help: 'Change to this directory first; all other paths are relative to it.' }],
    variables: ['EVERYCORE_CWD'],
    kind: KINDS.path,
    default: derived('the current directory', 'As `node script`.'),
    group: 'App',
  }),
  envFiles: setting({
    flags: [{ short: 'e', long: 'env-file', placeholder: 'file', help: 'Read variables from a file; repeatable, later files win, set variables stay.' }],
    repeatable: true,
    variables: ['EVERYCORE_ENV_FILE'],
    kind: KINDS.paths,
    default: { value: [], text: 'none', reason: 'As node: a file that is read without being asked for is a surprise.' },
    group: 'App',
  }),
  readyTimeoutMs: setting({
    flags: [{ long: 'ready-timeout', placeholder: 'time', help: 'A worker that is not ready by then has failed; 0 waits for ever.' }],
    variables: ['EVERYCORE_READY_TIMEOUT'],
    kind: KINDS.duration,
    default: { value: 60_000, text: '60s', reason: 'Longer than a cold start with TypeScript and a database takes, shorter than the patience of a deploy.' },
    group: 'Start and stop',
  }),
  probe: setting({
    flags: [{ long: 'probe', placeholder: 'path', help: 'A new worker gets no connections until it answers this path with a status below 400.' }],
    variables: ['EVERYCORE_PROBE'],
    kind: KINDS.urlPath,
    default: derived('off', 'Which path tells that an app can serve only the app knows.'),
    group: 'Start and stop',
  }),
  warmUp: setting({
    flags: [{ long: 'warm-up', placeholder: 'path', help: 'Ask a new worker for this path before it gets connections; repeatable.' }],
    repeatable: true,
    variables: ['EVERYCORE_WARM_UP'],
    kind: KINDS.urlPaths,
    default: { value: [], text: 'none', reason: 'Requests that nobody has sent may have effects.' },
    group: 'Start and stop',
  }),
  minUptimeMs: setting({
    flags: [{ long: 'min-uptime', placeholder: 'time', help: 'In a reload, a new worker must stay ready for so long before the old one drains.' }],
    variables: ['EVERYCORE_MIN_UPTIME'],
    kind: KINDS.duration,
    default: { value: 1000, text: '1s', reason: 'Long enough for what fails right after listening, short enough for a reload of many workers.' },
    group: 'Start and stop',
  }),
  canaryMs: setting({
    flags: [{ long: 'canary', placeholder: 'time', help: 'In a reload, the first new worker serves for so long and is compared with the old ones.' }],
    variables: ['EVERYCORE_CANARY'],
    kind: KINDS.duration,
    default: { value: 0, text: 'off', reason: 'How much traffic it takes to judge a release only its operator knows.' },
    group: 'Start and stop',
  }),
  surge: setting({
    flags: [{ long: 'surge', placeholder: 'n|n%', help: 'How many workers a reload replaces at a time, once the first is proven.' }],
    variables: ['EVERYCORE_SURGE'],
    kind: KINDS.surge,
    default: { value: { count: 1 }, text: '1', reason: 'Each costs the memory and the boot of a worker more.' },
    group: 'Start and stop',
  }),
  waitReady: setting({
    flags: [{ long: 'wait-ready', sets: 'true', help: "Ready means ready() or process.send('ready'), not listening." }],
    variables: ['EVERYCORE_WAIT_READY'],
    kind: KINDS.flag,
    default: { value: false, text: 'no', reason: 'Unmodified servers only listen.' },
    group: 'Start and stop',
  }),
  lingerTimeoutMs: setting({
    flags: [{ long: 'linger-timeout', placeholder: 'time', help: 'How long an idle keep-alive connection stays open in a stop.' }],
    variables: ['EVERYCORE_LINGER_TIMEOUT'],
    kind: KINDS.duration,
    default: { value: 6000, text: '6s', reason: "Node's servers promise 5 s and close after 6; a longer promise is kept in a reload, but would hold up every stop." },
    group: 'Start and stop',
  }),
  drainDelayMs: setting({
    flags: [{ long: 'drain-delay', placeholder: 'time', help: 'How long all goes on after SIGTERM before workers drain (Kubernetes).' }],
    variables: ['EVERYCORE_DRAIN_DELAY'],
    kind: KINDS.duration,
    default: { value: 0, text: '0', reason: 'Only where connections still come for a while after SIGTERM, as in Kubernetes, it is worth waiting for.' },
    group: 'Start and stop',
  }),
  closeSpreadMs: setting({
    flags: [{ long: 'close-spread', placeholder: 'time', help: 'A worker that leaves closes its WebSockets over so long, and not all at once.' }],
    variables: ['EVERYCORE_CLOSE_SPREAD'],
    kind: KINDS.duration,
    default: { value: 5000, text: '5s', reason: 'Each client that is closed comes back at once, often with a login: a thousand of them are 200 a second. And it fits into the 10 s that Docker gives a stop.' },
    group: 'Start and stop',
  }),
  gracefulTimeoutMs: setting({
    flags: [{ long: 'graceful-timeout', placeholder: 'time', help: 'How long a worker may finish its requests before it is killed.' }],
    variables: ['EVERYCORE_GRACEFUL_TIMEOUT'],
    kind: KINDS.duration,
    default: { value: 25_000, text: '25s', reason: 'Below the 30 s that Kubernetes gives a pod, so that the kill and its report come from us.' },
    group: 'Start and stop',
  }),
  killSignal: setting({
    flags: [{ long: 'kill-signal', placeholder: 'signal', help: "The signal for the app's own handlers, after the drain." }],
    variables: ['EVERYCORE_KILL_SIGNAL'],
    kind: KINDS.signal,
    default: { value: 'SIGTERM', text: 'SIGTERM', reason: 'What systemd, Docker and Kubernetes send, so what apps handle.' },
    group: 'Start and stop',
  }),
  spares: setting({
    flags: [{ long: 'spare', placeholder: 'n', help: 'So many workers boot up to their first listen() and wait to take the place of one that ends.' }],
    variables: ['EVERYCORE_SPARE'],
    kind: KINDS.spares,
    default: { value: 0, text: '0', reason: 'Each costs the memory of a worker, and learns its slot only when it gets one.' },
    group: 'Health',
  }),
  hangTimeoutMs: setting({
    flags: [{ long: 'hang-timeout', placeholder: 'time', help: 'A worker whose event loop stands still for so long is killed and replaced; 0 never.' }],
    variables: ['EVERYCORE_HANG_TIMEOUT'],
    kind: KINDS.hangTimeout,
    default: { value: 10_000, text: '10s', reason: 'Longer than any computation that a server should do on its event loop, shorter than the patience of its clients.' },
    group: 'Health',
  }),
  maxMemory: setting({
    flags: [{ long: 'max-memory', placeholder: 'size', help: 'A worker with more resident memory is replaced; one with half as much again is killed.' }],
    variables: ['EVERYCORE_MAX_MEMORY'],
    kind: KINDS.size,
    default: derived('off', 'How much is too much only its operator knows.'),
    group: 'Health',
  }),
  maxRequests: setting({
    flags: [{ long: 'max-requests', placeholder: 'n', help: 'A worker is replaced when it has begun so many requests.' }],
    variables: ['EVERYCORE_MAX_REQUESTS'],
    kind: KINDS.count,
    default: derived('off', 'A server that leaks nothing needs no replacement.'),
    group: 'Health',
  }),
  maxLifetimeMs: setting({
    flags: [{ long: 'max-lifetime', placeholder: 'time', help: 'A worker is replaced when it has been ready for so long.' }],
    variables: ['EVERYCORE_MAX_LIFETIME'],
    kind: KINDS.lifetime,
    default: derived('off', 'A server that leaks nothing needs no replacement.'),
    group: 'Health',
  }),
  ...METRICS_SETTINGS,
  ...OUTPUT_SETTINGS,
  uid: setting({
    flags: [{ long: 'uid', placeholder: 'user', help: 'Run the workers as this user (started as root only).' }],
    variables: ['EVERYCORE_UID'],
    kind: KINDS.identity,
    default: derived('the user who starts it', 'Only root can change it.'),
    group: 'System',
  }),
  gid: setting({
    flags: [{ long: 'gid', placeholder: 'group', help: 'Run the workers as this group (started as root only).' }],
    variables: ['EVERYCORE_GID'],
    kind: KINDS.identity,
    default: derived('the main group of the user', 'What a login of that user gives.'),
    group: 'System',
  }),
  runtimeDir: setting({
    flags: [{ long: 'runtime-dir', placeholder: 'dir', help: 'Private directory for sockets and caches.' }],
    variables: ['EVERYCORE_RUNTIME_DIR'],
    kind: KINDS.path,
    default: derived('RUNTIME_DIRECTORY, XDG_RUNTIME_DIR, /run or the tmp directory', 'The places that a system gives to a service; the first that is private to us.'),
    group: 'System',
  }),
  control: setting({
    flags: [
      { long: 'control', placeholder: '[host:]port', help: 'Open the control socket by TCP, too, on loopback and with a token.' },
      { long: 'no-control', sets: 'off', help: 'Open no control socket: no status, reload or stop from elsewhere.' },
    ],
    variables: ['EVERYCORE_CONTROL'],
    kind: KINDS.control,
    default: { value: { isOn: true, tcp: undefined }, text: 'on, as a unix socket in the runtime directory; off in the library', reason: 'Only its owner reaches it, and without it nobody can ask a service how it is.' },
    group: 'System',
  }),
} as const

/** Name of a setting. */
export type SettingKey = keyof typeof SETTINGS

/** Every {@link SettingKey}, in the order of the table. */
export const SETTING_KEYS: readonly SettingKey[] = Object.keys(SETTINGS).filter(isSettingKey)

/** Type of the value of a setting; with undefined where the default is derived. */
export type SettingValue<K extends SettingKey> = (typeof SETTINGS)[K] extends Setting<infer T, infer D> ? T | D : never

/** True for a name that the table has. */
export function isSettingKey(name: string): name is SettingKey {
  return Object.hasOwn(SETTINGS, name)
}

/** {@link SETTINGS} for code that treats all alike. */
export function settingOf(key: SettingKey): Setting<unknown, unknown> {
  return SETTINGS[key]
}
