/** `everycore generate systemd`: a service unit, and a socket unit for those who want one. */
import { formatDuration } from '../base/units.ts'
import { cannotGenerate, isGiven, seconds, startWords, type Deployment, type GeneratedFile } from './deployment.ts'

export interface SystemdOptions {
  /** systemd binds the port, and keeps it while the service is down. */
  readonly socket: boolean
}

/** From the last worker's end to the end of the process, and for a machine that is busy meanwhile. */
const STOP_MARGIN_S = 15
/** As long as systemd itself waits for a start; each worker that is ready extends it (EXTEND_TIMEOUT_USEC). */
const START_S = 90

/**
 * The units of one app.
 *
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html
 * @throws EverycoreError ERR_EVERYCORE_GENERATE for what a unit cannot hold: a line break in a path, a socket without a port.
 */
export function systemdFiles(deployment: Deployment, { socket }: SystemdOptions): readonly GeneratedFile[] {
  const { name } = deployment
  const service = { path: `${name}.service`, text: serviceUnit(deployment, socket) }
  return socket ? [service, { path: `${name}.socket`, text: socketUnit(deployment) }] : [service]
}

function serviceUnit(deployment: Deployment, socket: boolean): string {
  const { name, drainDelayMs, gracefulTimeoutMs, readyTimeoutMs, directory } = deployment
  return lines([
    '[Unit]',
    `Description=${name}`,
    'After=network-online.target',
    'Wants=network-online.target',
    '# Tries again for ever: what the app waits for, a database for instance, may be away for longer than five starts.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=notify',
    '# The messages come from systemd-notify, a child.',
    'NotifyAccess=all',
    `WorkingDirectory=${pathValue(directory)}`,
    '# node and the file by their names: npm, npx or a shell in between would take the signals and the sockets.',
    `ExecStart=${execLine(deployment)}`,
    ...reloadLines(deployment),
    '# SIGTERM to everycore alone, which drains the workers; what is left at the end is killed.',
    'KillMode=mixed',
    ...(readyTimeoutMs === 0 ? ['# --ready-timeout 0 waits for ever.', 'TimeoutStartSec=infinity'] : [`TimeoutStartSec=${Math.max(START_S, seconds(readyTimeoutMs) + STOP_MARGIN_S)}`]),
    `# ${drainDelayMs === 0 ? '' : `--drain-delay ${formatDuration(drainDelayMs)}, `}--graceful-timeout ${formatDuration(gracefulTimeoutMs)}, and a margin.`,
    `TimeoutStopSec=${seconds(drainDelayMs) + seconds(gracefulTimeoutMs) + STOP_MARGIN_S}`,
    '# Fed as long as a worker serves. Longer than workers need to start again.',
    'WatchdogSec=30',
    'Restart=on-failure',
    'RestartSec=1',
    '# A wrong option, a script that cannot be loaded: neither gets better by itself.',
    'RestartPreventExitStatus=2 4',
    'Environment=NODE_ENV=production',
    '# One for each connection.',
    'LimitNOFILE=65536',
    '# For the control socket; nobody else may reach it.',
    `RuntimeDirectory=everycore/${name}`,
    'RuntimeDirectoryMode=0700',
    '',
    ...identityLines(deployment),
    ...sandboxLines(deployment, capabilityLines(deployment, socket)),
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    ...(socket ? [`Also=${name}.socket`] : []),
  ])
}

/** The user whom systemd changes to, so that everycore need not be root and does not change it itself. */
function identityLines({ user, group, changesUser }: Deployment): readonly string[] {
  if (changesUser) return ['# The configuration names the user of the workers, and everycore changes to it.', 'User=root']
  if (user === undefined && group === undefined) return ['# A user of its own for the time that it runs. The files of the app must be readable by all.', 'DynamicUser=yes']
  return [...(user === undefined ? [] : [`User=${user}`]), ...(group === undefined ? [] : [`Group=${group}`])]
}

function sandboxLines({ directory, node, command, script, config }: Deployment, capabilities: readonly string[]): readonly string[] {
  const isAtHome = [directory, node, command, script, ...(config === undefined ? [] : [config])].some((path) => /^\/(?:home|root|run\/user)\//.test(`${path}/`))
  return [
    '# What the app writes must be named: ReadWritePaths=/srv/uploads, or StateDirectory= for a place of its own.',
    'ProtectSystem=strict',
    ...(isAtHome ? ['# The app or node is in a home directory.', 'ProtectHome=read-only'] : ['ProtectHome=yes']),
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'NoNewPrivileges=yes',
    ...capabilities,
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectControlGroups=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    '# AF_NETLINK: os.networkInterfaces() asks the kernel by it.',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    '# Not MemoryDenyWriteExecute=: the compiler of V8 needs what it forbids.',
  ]
}

function capabilityLines({ changesUser, port }: Deployment, socket: boolean): readonly string[] {
  if (changesUser) return ['# To change the user, and to end workers that are somebody else\'s.', 'CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL CAP_NET_BIND_SERVICE CAP_DAC_OVERRIDE']
  const isPrivileged = port !== undefined && port > 0 && port < 1024 && !socket
  return isPrivileged ? ['# The port is below 1024.', 'AmbientCapabilities=CAP_NET_BIND_SERVICE', 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE'] : ['CapabilityBoundingSet=']
}

function socketUnit({ name, port }: Deployment): string {
  if (port === undefined || port === 0) throw cannotGenerate('a socket unit needs a port', 'Nothing says where the app listens.', 'Name it: everycore generate systemd --socket --port 3000 server.js.')
  return lines([
    '[Unit]',
    `Description=Socket of ${name}`,
    '',
    '[Socket]',
    '# Connections wait here while the service starts or is started again.',
    `ListenStream=${port}`,
    '# As many as Node would let wait.',
    'Backlog=511',
    '',
    '[Install]',
    'WantedBy=sockets.target',
  ])
}

function execLine(deployment: Deployment): string {
  const { node, command } = deployment
  // Its own directory would be one that systemd has not made.
  const words = startWords(deployment, (path) => path, { uid: [], gid: [], ...(isGiven(deployment, 'runtimeDir') && { runtimeDir: [] }) })
  return [execPath(node), ...[command, 'start', ...words].map(execWord)].join(' ')
}

/** By the verb, systemctl reload waits until it is over and fails when it was aborted; by the signal it does neither. */
function reloadLines(deployment: Deployment): readonly string[] {
  const { name, node, command, options } = deployment
  const isControlled = !options.some(({ key, words }) => key === 'control' && words.includes('--no-control'))
  if (!isControlled) return ['# A rolling reload: new workers first.', 'ExecReload=/bin/kill -USR2 $MAINPID']
  return ['# A rolling reload: new workers first. It fails when the old ones go on.', `ExecReload=${[execPath(node), execWord(command)].join(' ')} reload --runtime-dir %t/everycore/${name}`]
}

/** The first word: specifiers are expanded in it, variables are not; systemd refuses quotes and the like in it, however they are escaped. */
function execPath(path: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/["'\\\x00-\x1f\x7f]/.test(path)) throw cannotGenerate(`systemd cannot start ${JSON.stringify(path)}`, 'It takes no quotes, backslashes or control characters in the path of a program.', 'Use a Node in another directory.')
  return quote(path.replaceAll('%', '%%'))
}

/**
 * One word of a command line: neither systemd's specifiers (%) nor its variables ($) are expanded in it.
 *
 * @see systemd.syntax(7), systemd.service(5), COMMAND LINES
 */
export function execWord(word: string): string {
  return quote(word.replaceAll('%', '%%').replaceAll('$', '$$$$'))
}

function quote(word: string): string {
  if (/^[\w@%+=:,./$-]+$/.test(word)) return word
  const escaped = word
    .replaceAll(/["\\]/g, String.raw`\$&`)
    // oxlint-disable-next-line no-control-regex
    .replaceAll(/[\x00-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return `"${escaped}"`
}

/** A path as the value of a setting that knows no quotes. */
function pathValue(path: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]|^\s|[\s\\]$/.test(path)) throw cannotGenerate(`${JSON.stringify(path)} cannot stand in a unit`, 'A line break, a control character, or white space or a backslash at its end means something else there.', 'Move the app to another directory.')
  return path.replaceAll('%', '%%')
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`
}
