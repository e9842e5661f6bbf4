import type { Deployment } from '../../src/generate/deployment.ts'

/** An app as most are, and what is different with it. */
export function deployment(changes: Partial<Deployment> = {}): Deployment {
  return {
    name: 'shop',
    directory: '/srv/shop',
    script: '/srv/shop/server.js',
    config: undefined,
    isConfigured: false,
    args: [],
    options: [],
    port: undefined,
    workers: undefined,
    maxMemory: undefined,
    user: undefined,
    group: undefined,
    changesUser: false,
    drainDelayMs: 0,
    gracefulTimeoutMs: 25_000,
    readyTimeoutMs: 60_000,
    node: '/usr/bin/node',
    command: '/srv/shop/node_modules/everycore/dist/cli.cjs',
    lockFile: 'package-lock.json',
    ...changes,
  }
}
