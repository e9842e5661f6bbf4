/** Every key that PM2 documents for its ecosystem files, and what becomes of it. */

/** What becomes of a key of PM2. */
export interface Pm2Key {
  /** Other spellings. */
  readonly aliases: readonly string[]
  /**
   * - `mapped`: it has a place in the config
   * - `nothing`: nothing to do, and nothing to tell: everycore does it anyhow, or it concerns the daemon of PM2 only
   * - `missing`: it is left out, with a warning
   */
  readonly fate: 'mapped' | 'nothing' | 'missing'
  /** The keys of everycore. */
  readonly becomes: readonly string[]
  /** For people: what to know, why not, or what to do instead. */
  readonly text: string
}

const mapped = (becomes: string | readonly string[], text: string, ...aliases: readonly string[]): Pm2Key => ({ aliases, fate: 'mapped', becomes: typeof becomes === 'string' ? [becomes] : becomes, text })
const nothing = (text: string, ...aliases: readonly string[]): Pm2Key => ({ aliases, fate: 'nothing', becomes: [], text })
const missing = (text: string, ...aliases: readonly string[]): Pm2Key => ({ aliases, fate: 'missing', becomes: [], text })

const CLOUD = 'a part of the services of PM2'
const WATCH = 'for development, node --watch runs one process that restarts'
const CONTAINER = 'everycore makes no images'

/** By the name that PM2 calls first. */
export const PM2_KEYS: Readonly<Record<string, Pm2Key>> = {
  script: mapped('script', 'The same. A script that is no JavaScript (npm, bash, python) is refused: everycore runs Node.js servers', 'exec'),
  name: mapped('name', 'The same; characters other than a-z A-Z 0-9 . _ - become a dash'),
  name_prefix: mapped('name', 'It stands before the name'),
  append_env_to_name: mapped('name', 'With a mode, it stands after the name'),
  cwd: mapped('cwd', 'The same, relative to the directory of the file'),
  args: mapped('args', 'A text is split into words as a shell does'),
  node_args: mapped('nodeArgs', 'A text is split into words as a shell does', 'interpreter_args', 'interpreterArgs'),
  interpreter: mapped('nodeArgs', 'node is what everycore runs; ts-node becomes an argument for node, tsx is used by itself. All others are refused', 'exec_interpreter'),
  source_map_support: mapped('nodeArgs', 'true becomes --enable-source-maps'),
  instances: mapped('workers', '0 and max become auto: as many as CPUs that the process may use. -1 is one less'),
  exec_mode: mapped('workers', 'fork is one worker. everycore has no other mode than workers that share sockets'),
  env: mapped('env', 'The same: over the environment of the command'),
  'env_*': mapped('env', 'Over env, with --env and its name. In a config of everycore: a function of the mode'),
  port: mapped('port', 'The same: PORT of the app'),
  wait_ready: mapped('waitReady', "The same: process.send('ready')"),
  listen_timeout: mapped('readyTimeoutMs', 'PM2 takes a worker as ready when it is over; for everycore the worker has failed. If workers need longer, raise it'),
  kill_timeout: mapped('gracefulTimeoutMs', 'The same; without it everycore gives 25 s and not 1.6 s'),
  max_memory_restart: mapped('maxMemory', 'The same; the replacement is ready before the worker drains'),
  log_type: mapped('logFormat', 'json becomes json'),
  out_file: mapped('logFile', 'stdout of the workers, and all else unless there is an error_file. everycore rotates it at 10 MB', 'out', 'output', 'out_log'),
  error_file: mapped('errorFile', 'stderr of the workers; alone it is left out, with a warning: without an out_file all goes to stdout and stderr', 'error', 'err', 'err_file', 'err_log'),
  log_file: mapped('logFile', 'Both in one file; beside out_file or error_file it is left out, with a warning', 'log'),
  uid: mapped('uid', 'The same, for the workers', 'user', 'username'),
  gid: mapped('gid', 'The same, for the workers'),

  autorestart: nothing('Workers that end are replaced. false is left out, with a warning: a program that ends by itself is no server'),
  autostart: nothing('An app of the file is started. false is left out, with a warning: --only names those that are to start'),
  treekill: nothing('A worker is killed with its children. false is left out, with a warning'),
  instance_var: nothing('Workers have NODE_APP_INSTANCE and EVERYCORE_SLOT. Another name is left out, with a warning'),
  disable_source_map_support: nothing('Node.js uses no source maps unless it is told to'),
  exp_backoff_restart_delay: nothing('The delay grows by itself: from 1 s by half each time, up to 30 s'),
  restart_delay: nothing('The delay grows by itself: from 1 s by half each time, up to 30 s'),
  max_restarts: nothing('After five failures in a row of an app that has never been ready everycore ends with code 3; a worker that once was is tried for ever'),
  min_uptime: nothing('A worker is stable after 10 s. minUptimeMs is something else: how long a reload looks at a new worker'),
  merge_logs: nothing('All workers write to the same stdout and stderr', 'combine_logs'),
  pid_file: nothing('everycore status tells the pid', 'pid'),
  kill_retry_time: nothing('SIGKILL needs no second try'),
  windowsHide: nothing('Workers have no window'),
  force: nothing('It concerns the list of the daemon'),
  namespace: nothing('everycore has no groups; --only takes several names'),
  vizion: nothing('It reads the version control for the list of the daemon'),
  pmx: nothing(CLOUD),
  automation: nothing(CLOUD),
  io: nothing(CLOUD),
  trace: nothing(CLOUD),
  disable_trace: nothing(CLOUD),
  v8: nothing(CLOUD),
  event_loop_inspector: nothing(CLOUD),
  deep_monitoring: nothing(CLOUD),
  write: nothing('It concerns the call of pm2'),
  watch_delay: nothing('It belongs to watch'),
  watch_options: nothing('It belongs to watch'),
  ignore_watch: nothing('It belongs to watch'),
  log_date_format: nothing('logFormat pretty and json have the time; raw leaves lines as they are'),
  time: nothing('logFormat pretty and json have the time; raw leaves lines as they are'),

  watch: missing(WATCH),
  cron_restart: missing('a timer of the system can do it: cron or systemd, with everycore reload', 'cron'),
  shutdown_with_message: missing("everycore sends no message 'shutdown': use the signal, or onDrain of everycore/worker"),
  stop_exit_codes: missing('a worker that ends is replaced, whatever its code: a server does not end by itself'),
  increment_var: missing('workers share their sockets, so each needs no port of its own; compute other values from EVERYCORE_SLOT'),
  disable_logs: missing('send stdout and stderr to /dev/null'),
  filter_env: missing('remove single variables: env: { NAME: null }'),
  install_url: missing('install it before'),
  execute_command: missing('everycore runs Node.js scripts'),
  post_update: missing('everycore pulls no code: run the commands, then everycore reload'),
  container: missing(CONTAINER),
  dist: missing(CONTAINER),
  image_name: missing(CONTAINER, 'imageName'),
  node_version: missing(CONTAINER, 'nodeVersion'),
  fresh: missing(CONTAINER),
  dockerdaemon: missing(CONTAINER),
}

/** The entry of a key, by any of its spellings, and the name that it stands under; undefined when PM2 has no such key. */
export function pm2Key(name: string): readonly [string, Pm2Key] | undefined {
  const found = Object.entries(PM2_KEYS).find(([known, { aliases }]) => known === name || aliases.includes(name))
  const modes = PM2_KEYS['env_*']
  return found ?? (name.startsWith('env_') && modes !== undefined ? ['env_*', modes] : undefined)
}
