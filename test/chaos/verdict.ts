/** Rows of "what, found, wanted", and whether all are met. */
export interface Row {
  readonly what: string
  readonly found: string
  readonly wanted: string
  readonly met: boolean
}

export const exactly = (what: string, found: number, wanted: number): Row => ({ what, found: String(found), wanted: String(wanted), met: found === wanted })

export const below = (what: string, found: number, wanted: number, unit: string): Row => ({ what, found: `${found.toFixed(3)} ${unit}`, wanted: `below ${wanted} ${unit}`, met: found < wanted })

export const told = (what: string, found: string): Row => ({ what, found, wanted: '', met: true })

export function printTable(title: string, rows: readonly Row[]): void {
  const width = Math.max(...rows.map(({ what }) => what.length))
  console.log(`\n${title}`)
  for (const { what, found, wanted, met } of rows) console.log(`${met ? (wanted === '' ? '      ' : 'met   ') : 'MISSED'}  ${what.padEnd(width)}  ${found}${wanted === '' ? '' : ` (wanted: ${wanted})`}`)
}
