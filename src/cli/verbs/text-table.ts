/** Tables for terminals. */

export interface Column {
  readonly title: string
  /** The lowest go first where the width is too small; undefined stays. */
  readonly rank?: number
  readonly align: 'left' | 'right'
  readonly cells: readonly string[]
}

const GAP = '  '

/** The lines of a table, its head first, in at most `width` columns as long as there is a column to leave out. */
export function tableLines(columns: readonly Column[], width: number): readonly string[] {
  let kept = columns
  while (widthOf(kept) > width) {
    const least = kept.reduce<Column | undefined>((found, column) => (column.rank !== undefined && column.rank < (found?.rank ?? Number.POSITIVE_INFINITY) ? column : found), undefined)
    if (least === undefined) break
    kept = kept.filter((column) => column !== least)
  }
  const rows = Math.max(0, ...kept.map(({ cells }) => cells.length))
  const line = (cellOf: (column: Column) => string): string => kept.map((column) => pad(column, cellOf(column))).join(GAP).trimEnd()
  return [line(({ title }) => title), ...Array.from({ length: rows }, (_, index) => line(({ cells }) => cells[index] ?? ''))]
}

function widthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + cellWidth(column), 0) + GAP.length * Math.max(0, columns.length - 1)
}

function cellWidth({ title, cells }: Column): number {
  return Math.max(title.length, ...cells.map((cell) => cell.length))
}

function pad(column: Column, text: string): string {
  return column.align === 'left' ? text.padEnd(cellWidth(column)) : text.padStart(cellWidth(column))
}
