/** How `--metrics` is written. */

/** Where metrics are served. */
export interface MetricsAddress {
  /** An address, or a name that the system knows. */
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

const LOOPBACK = '127.0.0.1'
const HIGHEST_PORT = 65_535

/** `9300`, `127.0.0.1:9300`, `[::1]:9300`, `localhost:9300`; undefined for anything else. Without a host: this machine alone. */
export function parseMetricsAddress(text: string): MetricsAddress | undefined {
  const [, bracketed, plain = '', digits = ''] = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([a-zA-Z0-9.-]*)):)?(\d{1,5})$/.exec(text.trim()) ?? []
  const port = Number(digits)
  if (digits === '' || port > HIGHEST_PORT) return undefined
  return { host: bracketed ?? (plain === '' ? LOOPBACK : plain), port }
}
