/** Runs wrk (https://github.com/wg/wrk) and reads what it prints. */
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Ends the bench with status 2 when wrk is missing. */
export function requireWrk() {
  if (spawnSync('wrk', ['--version'], { stdio: 'ignore' }).error === undefined) return
  console.error('bench: wrk is not installed. Debian and Ubuntu: apt-get install wrk; macOS: brew install wrk')
  process.exit(2)
}

/** `{ requests, rps, p50, p99, errors }`; latencies in ms, errors of sockets and statuses other than 2xx. */
export async function wrk(url, { seconds, connections = 64, headers = [], script, halfway }) {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...headers.flatMap((header) => ['-H', header]), ...(script === undefined ? [] : ['-s', script]), url]
  const running = run('wrk', args, { timeout: (seconds + 15) * 1000, killSignal: 'SIGKILL' })
  const timer = halfway === undefined ? undefined : setTimeout(() => halfway(running.child.pid), seconds * 500)
  const { stdout } = await running
  clearTimeout(timer)
  const number = (pattern) => Number(pattern.exec(stdout)?.[1] ?? 0)
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1).map(Number) ?? []
  return {
    requests: number(/(\d+) requests in/),
    rps: number(/Requests\/sec:\s+([\d.]+)/),
    p50: millis(/50%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    p99: millis(/99%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    errors: socketErrors.reduce((sum, count) => sum + count, 0) + number(/Non-2xx or 3xx responses: (\d+)/),
  }
}

function millis(match) {
  if (match === null) return Number.NaN
  return Number(match[1]) * { us: 0.001, ms: 1, s: 1000 }[match[2]]
}
