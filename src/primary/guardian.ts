/**
 * A small `sh` that outlives the primary for a moment: when the primary is killed, it ends what the
 * primary can no longer end. Workers that still answer get the drain timeout to finish; those known to
 * hang, and in the end everything, are killed with their whole process group.
 *
 * It is told by lines on its stdin: `+ pid`, `- pid`, `! pid` (does not answer), `? pid` (answers again),
 * `t seconds`, and `q` before an orderly end. End of file without `q` means that the primary is dead.
 */
import { spawn, type ChildProcess } from 'node:child_process'

/** Exported for tests. What it needs besides the shell are `date` and `sleep`: without them it kills at once rather than wait by spinning. */
export const GUARDIAN_SCRIPT = `
trap '' HUP INT QUIT TERM USR1 USR2 TSTP TTIN TTOU PIPE
all=' '; hung=' '; limit=30
without() {
  case $1 in *" $2 "*) printf '%s' "\${1%% $2 *} \${1#* $2 }" ;; *) printf '%s' "$1" ;; esac
}
while read -r op arg; do
  case $op in
    +) all="$all$arg " ;;
    -) all=$(without "$all" "$arg"); hung=$(without "$hung" "$arg") ;;
    !) hung="$hung$arg " ;;
    \\?) hung=$(without "$hung" "$arg") ;;
    t) limit=$arg ;;
    q) exit 0 ;;
  esac
done
alive() {
  kill -0 "$1" 2>/dev/null || return 1
  if [ -r "/proc/$1/stat" ]; then
    read -r stat < "/proc/$1/stat" || return 1
    case $stat in *') Z '*|*') X '*) return 1 ;; *') T '*) return 2 ;; esac
  fi
  return 0
}
for pid in $hung; do kill -KILL "-$pid" 2>/dev/null; done
end=$(( $(date +%s) + limit + 1 ))
while :; do
  rest=' '
  for pid in $all; do
    alive "$pid"
    case $? in
      0) rest="$rest$pid " ;;
      *) kill -KILL "-$pid" 2>/dev/null ;;
    esac
  done
  all=$rest
  [ "$all" = ' ' ] && exit 0
  now=$(date +%s) && [ "$now" -lt "$end" ] || break
  sleep 0.2 2>/dev/null || sleep 1 || break
done
for pid in $all; do kill -KILL "-$pid" 2>/dev/null; done
`

export interface GuardianOptions {
  /** How long workers that answer may go on after the primary's death. */
  readonly drainTimeoutMs: number
  /** Told at most once, when there is no guardian although there should be one. */
  readonly warn: (text: string) => void
  /** Default: /bin/sh. */
  readonly shell?: string
}

/** Where the usual tools are on most systems, then where this one has them. */
export function toolPath({ PATH }: Readonly<Record<string, string | undefined>>): string {
  return PATH === undefined || PATH === '' ? '/usr/bin:/bin' : `/usr/bin:/bin:${PATH}`
}

/** The primary's handle on its guardian. On Windows there is none, and nothing happens. */
export class Guardian {
  readonly #limitSeconds: number
  readonly #shell: string
  #warn: ((text: string) => void) | undefined
  readonly #pids = new Set<number>()
  readonly #hung = new Set<number>()
  #child: ChildProcess | undefined
  #ended = false

  constructor({ drainTimeoutMs, warn, shell = '/bin/sh' }: GuardianOptions) {
    this.#limitSeconds = Math.ceil(drainTimeoutMs / 1000)
    this.#warn = warn
    this.#shell = shell
    this.#start()
  }

  /** For tests and `doctor`. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  watch(pid: number): void {
    this.#pids.add(pid)
    this.#tell(`+ ${pid}`)
  }

  forget(pid: number): void {
    this.#pids.delete(pid)
    this.#hung.delete(pid)
    this.#tell(`- ${pid}`)
  }

  /** Says whether the worker answers. */
  mark(pid: number, answers: boolean): void {
    if (this.#hung.has(pid) !== answers || !this.#pids.has(pid)) return
    if (answers) this.#hung.delete(pid)
    else this.#hung.add(pid)
    this.#tell(`${answers ? '?' : '!'} ${pid}`)
  }

  /** The primary ends in order: nothing is to be killed. */
  end(): void {
    this.#ended = true
    this.#tell('q')
    this.#child?.stdin?.end()
  }

  #start(): void {
    if (process.platform === 'win32') return
    const child = spawn(this.#shell, ['-c', GUARDIAN_SCRIPT, 'everycore-guardian'], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/', env: { PATH: toolPath(process.env) } })
    this.#child = child
    child.on('error', ({ message }) => {
      this.#child = undefined
      this.#complain(`it cannot be started (${message})`)
    })
    child.stdin?.on('error', () => {})
    child.on('exit', (code, signal) => {
      this.#child = undefined
      if (this.#ended) return
      this.#complain(`it has ended (${signal ?? `exit code ${code}`}), and is started again`)
      setTimeout(() => this.#ended || this.#start(), 1000).unref()
    })
    child.unref()
    ;(child.stdin as unknown as { unref?: () => void } | null)?.unref?.()
    this.#tell(`t ${this.#limitSeconds}`)
    for (const pid of this.#pids) this.#tell(`+ ${pid}`)
    for (const pid of this.#hung) this.#tell(`! ${pid}`)
  }

  #complain(what: string): void {
    this.#warn?.(`the guardian, which ends hanging workers should the supervisor be killed, is not there: ${what}`)
    this.#warn = undefined
  }

  #tell(line: string): void {
    this.#child?.stdin?.write(`${line}\n`)
  }
}
