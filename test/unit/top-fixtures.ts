/** What a supervisor would say, for the tests of `top`. */
import type { LogEntry, StatusReport, WorkerStatus } from '../../src/protocol/control.ts'

export const AT = '2026-01-31T12:00:00.000Z'

export function worker(given: Partial<WorkerStatus> = {}): WorkerStatus {
  return {
    slot: 0,
    pid: 4711,
    state: 'ready',
    reason: null,
    generation: 3,
    uptimeMs: 7_300_000,
    restarts: 0,
    lastExit: null,
    respawnInMs: null,
    cpu: 0.42,
    rssBytes: 96_400_000,
    heapUsedBytes: 41_000_000,
    loopUtilization: 0.38,
    loopLagP99Ms: 1.2,
    requestsPerSecond: 1250,
    p50Ms: 2.1,
    p99Ms: 14,
    inFlight: 3,
    connections: 61,
    ...given,
  }
}

export function report(given: Partial<StatusReport> = {}): StatusReport {
  return {
    schemaVersion: 1,
    name: 'shop',
    pid: 4700,
    state: 'running',
    size: 4,
    generation: 3,
    version: '0.1.0',
    node: 'v24.1.0',
    script: '/srv/shop/server.js',
    startedAt: AT,
    uptimeMs: 93_000_000,
    runtimeDir: '/run/everycore',
    addresses: [{ kind: 'http', address: '::', port: 3000 }],
    verdict: ['all 4 workers are ready'],
    reload: null,
    restart: null,
    handOvers: { relayed: 0, gaveBack: 0, gaveUp: 0, waiting: 0 },
    workers: [0, 1, 2, 3].map((slot) => worker({ slot, pid: 4711 + slot })),
    ...given,
  }
}

export function entry(given: Partial<LogEntry> = {}): LogEntry {
  return { at: AT, slot: 0, pid: 4711, stream: 'stdout', level: null, text: 'GET / 200', ...given }
}
