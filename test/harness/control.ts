/** The control server in this process, with a supervisor that is a table. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Doorway } from '../../src/control/doorway.ts'
import type { ControlPorts } from '../../src/control/ports.ts'
import { createControlServer } from '../../src/control/server.ts'
import { LogRing } from '../../src/logs/ring.ts'
import type { ControlEvent, StatusReport } from '../../src/protocol/control.ts'

export interface Served {
  readonly path: string
  readonly listeners: Set<(event: ControlEvent) => void>
  readonly close: () => Promise<void>
}

export const RESULT = { schemaVersion: 1, generation: 2, tookMs: 1, failedRequests: 0 } as const

/** What it is asked for it does at once, unless told otherwise. */
export async function serve(t: TestContext, ports: Partial<ControlPorts> = {}): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), 'everycore-control-'))
  const listeners = new Set<(event: ControlEvent) => void>()
  const all: ControlPorts = {
    status: () => ({ name: 'shop' }) as StatusReport,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    followLogs: (query, onMore) => new LogRing().follow(query, onMore),
    reload: async () => RESULT,
    restart: async () => RESULT,
    abortReload: () => {},
    scale: async (target) => ({ schemaVersion: 1, from: 1, size: Number(target) }),
    stop: () => ({ schemaVersion: 1, name: 'shop', pid: 1 }),
    warn: (text) => assert.fail(text),
    ...ports,
  }
  const doorway = new Doorway(() => createControlServer(all, undefined), all.warn)
  const { path } = await doorway.openUnix({ directory, name: 'shop', takeOver: false })
  t.after(async () => {
    await doorway.close()
    rmSync(directory, { recursive: true })
  })
  return { path, listeners, close: async () => doorway.close() }
}
