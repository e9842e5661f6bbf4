import { basename } from 'node:path'

/** Names that a config file has, and whether Node.js must take types out of it. */
export const CONFIG_NAMES = ['ts', 'mts', 'js', 'mjs', 'cjs', 'json'].map((extension) => `everycore.config.${extension}`)

/** True for a file that a person who writes `everycore start <file>` means as a config and not as a script. */
export function isConfigFile(path: string): boolean {
  return CONFIG_NAMES.includes(basename(path)) || isPm2File(path)
}

/** True for the names that PM2's documentation gives to its files. */
export function isPm2File(path: string): boolean {
  return /^(?:(?:ecosystem|pm2)(?:\.[\w-]+)*\.(?:[cm]?js|json|ya?ml)|process(?:es)?\.(?:json|ya?ml))$/.test(basename(path))
}
