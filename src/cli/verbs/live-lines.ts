/** Lines of a terminal that are written anew again and again. */

export class LiveLines {
  readonly #write: (text: string) => void
  #height = 0

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  /** What stands instead of the lines before. Each must fit into the width of the terminal, and all into its height. */
  show(lines: readonly string[]): void {
    // Up to the first of them, and from there on nothing. @see ECMA-48, CPL and ED
    const back = this.#height === 0 ? '' : `\u001B[${this.#height}F\u001B[J`
    this.#height = lines.length
    this.#write(back + lines.map((line) => `${line}\n`).join(''))
  }
}
