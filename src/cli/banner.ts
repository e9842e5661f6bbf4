/** The first output: at most eight lines that say what runs, where, how connections are spread, and how to steer it. */
import { styleText } from 'node:util'
import { relative } from 'node:path'
import { formatDuration } from '../base/units.ts'
import { VERSION } from '../base/version.ts'
import type { Settings, Sizing } from '../config/types.ts'
import type { Listening } from '../primary/events.ts'
import { balanceText } from './balance-text.ts'

/** Most addresses that are listed; an app with more gets a line that says how many. */
const ADDRESS_LINES = 3

export interface BannerFacts {
  readonly settings: Settings
  readonly addresses: readonly Listening[]
  /** How many workers are ready. */
  readonly size: number
  readonly tookMs: number
  readonly pid: number
  readonly isTTY: boolean
  /** The workers' sockets are held by the supervisor; else they are node:cluster's. */
  readonly holdsSockets: boolean
}

/** The lines, with colour as the settings say. */
export function banner({ settings, addresses, size, tookMs, pid, isTTY, holdsSockets }: BannerFacts): readonly string[] {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string => (settings.color ? styleText(style, text) : text)
  const arrow = settings.color ? paint('green', '➜') : '➜'
  const script = relative(process.cwd(), settings.launch.script)
  const title = `${paint('bold', 'everycore')} ${VERSION}  ${script.startsWith('..') ? settings.launch.script : script}  node ${process.version}`
  const workers = `${workersText(size, settings.sizing)}, ready in ${formatDuration(Math.round(tookMs))}`
  const shown = addresses.slice(0, ADDRESS_LINES).map(urlOf)
  const more = addresses.length - shown.length
  const places = shown.map((url, index) => `  ${arrow} ${index === 0 ? 'Listening' : '         '}  ${paint('cyan', url)}${index === 0 ? `  (${workers})` : ''}`)
  if (places.length === 0) places.push(`  ${arrow} Running    ${workers}`)
  if (more > 0) places.push(`              and ${more} more`)
  const balance = balanceText(settings, holdsSockets)
  if (balance !== undefined) places.push(`  ${arrow} Balance    ${balance}`)
  const stop = isTTY ? 'Ctrl-C' : `kill -TERM ${pid}`
  return ['', `  ${title}`, '', ...places, `  ${arrow} Reload     kill -USR2 ${pid}   Stop  ${stop}`, '']
}

/** How many there are, and may be. */
export function workersText(size: number, { most }: Pick<Sizing, 'most'>): string {
  return `${size} ${size === 1 ? 'worker' : 'workers'}${most > size ? ` of at most ${most}` : ''}`
}

/** How a person would reach it. */
export function urlOf({ kind, address, port }: Listening): string {
  if (port === null) return `unix:${address}`
  const anywhere = address === '::' || address === '0.0.0.0'
  const host = anywhere ? 'localhost' : address.includes(':') ? `[${address}]` : address
  const scheme = kind === 'http' || kind === 'https' ? kind : kind === 'http2' ? 'http' : kind === 'udp' ? 'udp' : 'tcp'
  return `${scheme}://${host}:${port}`
}
