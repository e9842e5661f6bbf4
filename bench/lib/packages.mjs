/** Packages that are only peers: installed with npm for this run, into its temporary directory. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const installed = new WeakMap()

/** Path of their `node_modules`; undefined, with a word on stderr, when they cannot be installed. */
export function install(session, name, packages) {
  const known = installed.get(session) ?? new Map()
  installed.set(session, known)
  if (!known.has(name)) known.set(name, tryInstall(session, name, packages))
  return known.get(name)
}

function tryInstall(session, name, packages) {
  const prefix = session.makeDirectory(name)
  try {
    execFileSync('npm', ['install', '--prefix', prefix, '--no-audit', '--no-fund', '--no-save', ...packages], { stdio: 'ignore', timeout: 180_000 })
    return join(prefix, 'node_modules')
  } catch (error) {
    console.error(`bench: ${packages.join(' and ')} cannot be installed (${error.message}); the lines are missing`)
    return undefined
  }
}
