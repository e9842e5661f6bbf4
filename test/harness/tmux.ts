/** A real terminal: tmux, with a server of its own. */
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { Scope } from './app.ts'
import { until } from './until.ts'

/** It is there: Debian's package `tmux`. */
export const hasTmux = spawnSync('tmux', ['-V']).status === 0

/** An upgrade and a reload within, on a busy machine. */
const PATIENCE_MS = 20_000

export class Tmux {
  readonly #server = `everycore-${randomUUID()}`

  /** A shell in a terminal of that size, ended with the test. */
  static open(t: Scope, { columns, rows, env = {} }: { readonly columns: number; readonly rows: number; readonly env?: Readonly<Record<string, string>> }): Tmux {
    const tmux = new Tmux()
    t.after(async () => void tmux.#run('kill-server'))
    const variables = Object.entries({ PS1: '$ ', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...env }).map(([name, value]) => `${name}=${value}`)
    tmux.#run('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), 'env', '-u', 'CI', ...variables, 'sh', '-i')
    return tmux
  }

  /** What is on the screen; with `-e` and the like in another form. */
  screen(...options: readonly string[]): string {
    return this.#run('capture-pane', '-p', ...options)
  }

  async shows(pattern: RegExp): Promise<string> {
    let screen = ''
    await until(`the terminal shows ${String(pattern)}`, () => pattern.test((screen = this.screen())), PATIENCE_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}. It shows:\n${screen}`)
    })
    return screen
  }

  /** As tmux names them: `Enter`, `C-z`, or a text. */
  press(...keys: readonly string[]): void {
    this.#run('send-keys', ...keys)
  }

  resize(columns: number, rows: number): void {
    this.#run('resize-window', '-x', String(columns), '-y', String(rows))
  }

  #run(...argv: readonly string[]): string {
    return spawnSync('tmux', ['-L', this.#server, ...argv], { encoding: 'utf8' }).stdout
  }
}
