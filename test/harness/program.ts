/** Runs a small program that uses the library, as a user would write it, and reads what it reports. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { processesOf, RUN_VARIABLE } from './processes.ts'
import { until } from './until.ts'

const LIBRARY = new URL('../../dist/index.js', import.meta.url).href
const PATIENCE_MS = 20_000

/** Its stdin is a pipe. Its stdout, line by line; each `report(name, value)` of it is one JSON line. */
export class Program {
  readonly child: ChildProcess
  readonly reports: { readonly name: string; readonly value: unknown }[] = []
  readonly ended: Promise<number | null>
  stderr = ''
  readonly #runId = randomUUID()
  #wake: () => void = () => {}

  private constructor(source: string, env: Readonly<Record<string, string>>) {
    const prelude = `import { createSupervisor } from ${JSON.stringify(LIBRARY)}\nconst report = (name, value) => console.log('REPORT ' + JSON.stringify({ name, value }))\n`
    this.child = spawn(process.execPath, ['--input-type=module', '-e', prelude + source], {
      cwd: fileURLToPath(new URL('../fixtures/apps/', import.meta.url)),
      env: { ...process.env, NO_COLOR: '1', ...env, [RUN_VARIABLE]: this.#runId },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    if (this.child.stdout === null || this.child.stderr === null) throw new Error('no pipe')
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      if (!line.startsWith('REPORT ')) return
      this.reports.push(JSON.parse(line.slice(7)) as { name: string; value: unknown })
      this.#wake()
    })
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.ended = once(this.child, 'close').then(([code]) => {
      this.#wake()
      return code as number | null
    })
  }

  static start(t: TestContext, source: string, env: Readonly<Record<string, string>> = {}): Program {
    const program = new Program(source, env)
    t.after(async () => program.#cleanUp())
    return program
  }

  /** Writes a line to its stdin; without one, ends it. */
  say(line?: string): void {
    if (line === undefined) this.child.stdin?.end()
    else this.child.stdin?.write(`${line}\n`)
  }

  /** Waits for the n-th report of that name. */
  async report(name: string, nth = 1): Promise<unknown> {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const found = this.reports.filter((report) => report.name === name)[nth - 1]
      if (found !== undefined) return found.value
      if (this.child.exitCode !== null || performance.now() > deadline) throw new Error(`no report ${name}\n${JSON.stringify(this.reports)}\n${this.stderr}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        setTimeout(resolve, 200).unref()
      })
    }
  }

  async #cleanUp(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL')
    await this.ended
    await until('no process of the program is left', () => processesOf(this.#runId).length === 0, 10_000)
  }
}
