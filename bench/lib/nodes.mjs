/** Node binaries by major version: the one that runs the bench when it fits, else from the npm package `node`. */
import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'

export function findNode(major) {
  const own = process.version.slice(1).split('.', 1)[0]
  const path = own === major ? process.execPath : execFileSync('npx', ['-y', '-p', `node@${major}`, 'which', 'node'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 180_000 }).trim()
  const real = realpathSync(path)
  const version = execFileSync(real, ['--version'], { encoding: 'utf8' }).trim()
  if (!version.startsWith(`v${major}.`)) throw new Error(`asked for Node ${major}, found ${version} at ${real}`)
  return { major, path: real, version }
}
