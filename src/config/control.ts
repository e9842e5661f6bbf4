import type { ControlSetting } from './types.ts'

const ON = new Set(['on', 'true', 'yes', '1'])
const OFF = new Set(['off', 'false', 'no', '0'])
const LOOPBACK = /^(?:localhost|127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}|\[::1\])$/

/**
 * `on`, `off`, `9300`, `127.0.0.1:9300`, `[::1]:9300`, `localhost:9300`.
 *
 * @returns undefined for what is none of them: an address that others could reach is none.
 */
export function parseControl(given: string | boolean): ControlSetting | undefined {
  const text = String(given).trim().toLowerCase()
  if (ON.has(text)) return { isOn: true, tcp: undefined }
  if (OFF.has(text)) return { isOn: false, tcp: undefined }
  const [, host = '127.0.0.1', digits] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port < 1 || port > 65_535 || !LOOPBACK.test(host)) return undefined
  return { isOn: true, tcp: { host: host.replaceAll(/[[\]]/g, ''), port } }
}
