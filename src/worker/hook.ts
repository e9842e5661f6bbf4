/**
 * The worker's half of everycore, put together: runs before the app, in the app's process. It must
 * stay small and quick, leave no trace that changes the app, and never throw into it.
 */
import { installListenHook } from '../listen/worker/listen-hook.ts'
import { slotEnvironment, type BootInfo } from '../protocol/boot.ts'
import type { PrimaryMessage } from '../protocol/messages.ts'
import { takeOverMessages } from './app-messages.ts'
import { startBeats } from './beat.ts'
import { adoptClusterWorker } from './cluster-worker.ts'
import { Connections } from './connections.ts'
import { openControlChannel } from './control-channel.ts'
import { createDrain } from './drain.ts'
import type * as Diagnosis from './diagnosis.ts'
import { reportFatalErrors } from './fatal-errors.ts'
import { publishHook } from './hook-object.ts'
import { keepListeners } from './keep-listeners.ts'
import { createLeaving } from './leaving.ts'
import { keepOutputWhole } from './output.ts'
import { createReadiness } from './readiness.ts'
import type { MetricsRegistry } from './registries.ts'
import { hidePreload, keepInspectorShut } from './traces.ts'
import type * as Vitals from './vitals.ts'

/** Of the preload, which lies beside it. To make one takes 7 ms on Node 20, which loads `node:module` for it. */
declare const require: NodeJS.Require

/** Called once by the preload. */
export function install(boot: BootInfo): void {
  keepInspectorShut()
  hidePreload()
  // Node has taken its own copy of what to run.
  process.argv[1] = boot.script
  keepOutputWhole()
  enableCompileCache(boot.compileCacheDir)

  const channel = openControlChannel()
  reportFatalErrors(channel)

  const connections = new Connections()
  const readiness = createReadiness(channel, boot.waitReady, () => setImmediate(measure))
  const listeners = installListenHook({ cluster: process.getBuiltinModule('node:cluster'), viaCluster: boot.viaCluster, rebalance: boot.rebalance, gated: boot.gated, channel, readiness, connections, slot: () => boot.slot, sticky: boot.sticky })
  let vitals: Vitals.WorkerVitals | undefined
  const leaving = createLeaving()
  const drain = createDrain({ boot, connections, listeners, leaving, tellShut: () => channel.send({ type: 'shut' }), tellLast: async () => vitals?.farewell() })
  const messages = takeOverMessages(channel, readiness)
  adoptClusterWorker(channel, listeners.disconnected)
  const registries = new Set<MetricsRegistry>()
  const seatListeners: ((slot: number) => void)[] = []
  publishHook({ boot, ready: readiness.declare, onDrain: drain.onDrain, isLeaving: leaving.isLeaving, onLeaving: leaving.onLeaving, onSeat: (listener) => seatListeners.push(listener), registries })

  channel.onMessage((message: PrimaryMessage) => {
    if (message.type === 'drain') drain.start(message)
    else if (message.type === 'ceiling') listeners.limit(message.open, message.pinned)
    else if (message.type === 'seats') listeners.setSeats(message.seats)
    else if (message.type === 'ping') listeners.report()
    else if (message.type === 'open') {
      listeners.open()
      channel.send({ type: 'opened' })
    }
    else if (message.type === 'seated') {
      takeSeat(boot, message.slot)
      for (const listener of seatListeners) listener(message.slot)
    }
    else if (message.type === 'leaving') leaving.begin()
    else if (message.type === 'collect') vitals?.collect(message.seq)
    else listeners.settle(message)
  })
  channel.onAppMessage(messages.deliver)
  let diagnosis: Diagnosis.Diagnosis | undefined
  channel.onOrder((order) => {
    diagnosis ??= loadDiagnosis(channel)
    diagnosis.take(order)
  })
  // The primary is gone: nobody will restart us, and a new primary may want the port.
  channel.onClosed(() => drain.start({ timeoutMs: boot.drainTimeoutMs, lingerMs: boot.lingerMs, closeSpreadMs: boot.closeSpreadMs, reason: 'primary-gone' }))
  startBeats(channel, boot)
  keepListeners()

  function measure(): void {
    if (boot.vitals) vitals = loadVitals().startVitals({ send: channel.send, connections: listeners.connections, registries })
  }
}

/** From a file of its own beside the preload: the app does not wait for it. */
function loadVitals(): typeof Vitals {
  const load = require
  return load('./vitals.cjs') as typeof Vitals
}

/** A spare learns its slot. */
function takeSeat(boot: BootInfo, slot: number): void {
  boot.slot = slot
  Object.assign(process.env, slotEnvironment(slot))
}

/** From a file of its own: hardly any worker is ever looked into. */
function loadDiagnosis(channel: Diagnosis.DiagnosisPorts): Diagnosis.Diagnosis {
  const load = require
  const { createDiagnosis } = load('./diagnosis.cjs') as typeof Diagnosis
  return createDiagnosis(channel)
}

/** @see https://nodejs.org/api/module.html#moduleenablecompilecachecachedir (22.8) */
function enableCompileCache(directory: string | null): void {
  if (directory === null) return
  const { enableCompileCache: enable } = process.getBuiltinModule('node:module') as { readonly enableCompileCache?: (directory: string) => unknown }
  enable?.(directory)
}
