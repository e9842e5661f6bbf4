/** `cluster.worker` of the app, with our meaning of leaving: drain first, and outlive a dead primary. */
import type { Cluster, Worker } from 'node:cluster'
import type { ControlChannel } from './control-channel.ts'

interface CountedChannel {
  readonly unrefCounted?: () => void
}

/** @see lib/internal/cluster/child.js, `_setupWorker`: Node's own listener ends the process at once when the channel closes. */
export function adoptClusterWorker(channel: ControlChannel, onDisconnected: () => void): void {
  const { worker } = process.getBuiltinModule('node:cluster') as unknown as Cluster
  if (worker === undefined) return
  process.removeAllListeners('disconnect')
  process.once('disconnect', () => {
    onDisconnected()
    worker.emit('disconnect')
  })
  // Listeners that are not the app's must not keep the process alive: a script that is done ends, as under plain node.
  const ipc = process.channel as CountedChannel | undefined
  const own = process.listenerCount('message') + process.listenerCount('disconnect')
  for (let count = 0; count < own; count += 1) ipc?.unrefCounted?.()

  const leave = function (this: Worker): Worker {
    worker.exitedAfterDisconnect = true
    channel.send({ type: 'leave' })
    return worker
  }
  // Voluntary exit as with node:cluster, except that connections are drained and not only closed.
  Object.assign(worker, { disconnect: leave, kill: leave, destroy: leave })
}
