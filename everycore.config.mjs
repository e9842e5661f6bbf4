/** @type {import('everycore').UserConfig} */
export default {
  // The script to run, relative to this file.
  // script: 'server.js',

  // Variables for the app.
  // env: { LOG_LEVEL: 'info' },

  // How many workers to run; with two ends, as the load needs. Default: auto.
  // workers: ...

  // With --workers 2-8: one worker less when the load has been low for so long. Default: 60s.
  // shrinkAfterMs: 60000,

  // How connections are spread over the workers. Default: least-busy.
  // balance: 'least-busy',

  // Each client to one worker, told apart by address, cookie or header. Default: off.
  // sticky: ...

  // Whose X-Forwarded-For and PROXY header --sticky ip believes: 10.0.0.0/8,unix. Default: none.
  // trustedProxies: [],

  // A worker with n times the mean of connections gets no further clients. Default: 1.25.
  // stickyFactor: 1.25,

  // Idle keep-alive connections move from workers that have more to those that have fewer. Default: yes.
  // rebalance: true,

  // Arguments for node, as one word: "--import ./otel.mjs". Default: none.
  // nodeArgs: [],

  // Inspector on 127.0.0.1; worker n listens on port+n (9229 if no port is given). Default: off.
  // inspectPort: ...

  // Sets PORT for the app. Default: PORT as it is.
  // port: ...

  // Name of the app in output and paths. Default: name in package.json, else of the script.
  // name: ...

  // Change to this directory first; all other paths are relative to it. Default: the current directory.
  // cwd: ...

  // Read variables from a file; repeatable, later files win, set variables stay. Default: none.
  // envFiles: [],

  // A worker that is not ready by then has failed; 0 waits for ever. Default: 60s.
  // readyTimeoutMs: 60000,

  // A new worker gets no connections until it answers this path with a status below 400. Default: off.
  // probe: ...

  // Ask a new worker for this path before it gets connections; repeatable. Default: none.
  // warmUp: [],

  // In a reload, a new worker must stay ready for so long before the old one drains. Default: 1s.
  // minUptimeMs: 1000,

  // In a reload, the first new worker serves for so long and is compared with the old ones. Default: off.
  // canaryMs: 0,

  // How many workers a reload replaces at a time, once the first is proven. Default: 1.
  // surge: ...

  // Ready means ready() or process.send('ready'), not listening. Default: no.
  // waitReady: false,

  // How long an idle keep-alive connection stays open in a stop. Default: 6s.
  // lingerTimeoutMs: 6000,

  // How long all goes on after SIGTERM before workers drain (Kubernetes). Default: 0.
  // drainDelayMs: 0,

  // A worker that leaves closes its WebSockets over so long, and not all at once. Default: 5s.
  // closeSpreadMs: 5000,

  // How long a worker may finish its requests before it is killed. Default: 25s.
  // gracefulTimeoutMs: 25000,

  // The signal for the app's own handlers, after the drain. Default: SIGTERM.
  // killSignal: 'SIGTERM',

  // So many workers boot up to their first listen() and wait to take the place of one that ends. Default: 0.
  // spares: 0,

  // A worker whose event loop stands still for so long is killed and replaced; 0 never. Default: 10s.
  // hangTimeoutMs: 10000,

  // A worker with more resident memory is replaced; one with half as much again is killed. Default: off.
  // maxMemory: ...

  // A worker is replaced when it has begun so many requests. Default: off.
  // maxRequests: ...

  // A worker is replaced when it has been ready for so long. Default: off.
  // maxLifetimeMs: ...

  // Each worker says once a second what it uses, and how many requests it answers how quickly. Default: yes.
  // vitals: true,

  // Serve /metrics, /livez, /readyz and /startupz (127.0.0.1:9300 if nothing is given). Default: off.
  // metrics: ...

  // Form of the output; raw leaves the lines of the app as they are. Default: pretty on a terminal, else raw.
  // logFormat: ...

  // Colours, also without a terminal. Default: on a terminal.
  // color: ...

  // Warnings and errors only. Default: normal.
  // verbosity: 'normal',

  // All output goes to this file, and none to stdout and stderr. Default: none.
  // logFile: ...

  // With --log-file: what would go to stderr goes to this file. Default: the log file.
  // errorFile: ...

  // A log file that would become larger is rotated; 0 never. Default: 10M.
  // logMaxSize: 10485760,

  // A new log file for each such stretch of time, from midnight on: 1d, 1h. Default: off.
  // logRotateEveryMs: 0,

  // How many older log files are kept, from file.1, the newest, on. Default: 5.
  // logKeep: 5,

  // Older log files are removed when they have not been written to for so long. Default: off.
  // logMaxAgeMs: 0,

  // How much of the newest output is remembered for `everycore logs`; 0 nothing. Default: 1M.
  // logBuffer: 1048576,

  // Run the workers as this user (started as root only). Default: the user who starts it.
  // uid: ...

  // Run the workers as this group (started as root only). Default: the main group of the user.
  // gid: ...

  // Private directory for sockets and caches. Default: RUNTIME_DIRECTORY, XDG_RUNTIME_DIR, /run or the tmp directory.
  // runtimeDir: ...

  // Open the control socket by TCP, too, on loopback and with a token. Default: on, as a unix socket in the runtime directory; off in the library.
  // control: ...
}
