/** Asks the primary for a held socket. The answer comes in two parts by two ways, in either order. */
import { HANDLE_COMMAND, type BindReply, type BindRequest, type CopyRequest, type WorkerMessage } from '../../protocol/messages.ts'
import type { ListenHandle } from './handles.ts'
import { passiveHandle } from './stand-in-handles.ts'

type Answer = (reply: BindReply, handle: ListenHandle | undefined) => void

interface Channel {
  readonly send: (message: WorkerMessage) => void
  readonly hold: (held: boolean) => void
}

export class BindExchange {
  readonly #channel: Channel
  readonly #asked = new Map<number, Answer>()
  readonly #replies = new Map<number, BindReply>()
  readonly #handles = new Map<number, ListenHandle>()
  #lastSeq = 0
  #waiting = 0
  #abandoned = false

  constructor(channel: Channel) {
    this.#channel = channel
    process.on('internalMessage' as 'message', (message: unknown, handle: unknown) => {
      const { cmd, seq } = message as { readonly cmd?: unknown; readonly seq?: unknown }
      if (cmd !== HANDLE_COMMAND || typeof seq !== 'number') return
      if (this.#abandoned) {
        ;(handle as ListenHandle | undefined)?.close()
        return
      }
      this.#handles.set(seq, handle as ListenHandle)
      this.#join(seq)
    })
  }

  ask(request: Omit<BindRequest, 'seq'> | Omit<CopyRequest, 'seq'>, answer: Answer): void {
    this.#lastSeq += 1
    this.#asked.set(this.#lastSeq, answer)
    this.wait(1)
    this.#channel.send({ ...request, seq: this.#lastSeq })
  }

  /** Refuses what was asked and is not answered yet; what is still on its way is of no use any more. */
  abandon(): void {
    this.#abandoned = true
    for (const handle of this.#handles.values()) handle.close()
    this.#handles.clear()
    this.#refuse([...this.#asked.keys()], 'ECANCELED')
  }

  /** Node's channel is closed: a handle that has not come will not come any more. */
  disconnected(): void {
    this.#refuse([...this.#asked.keys()].filter((seq) => !this.#handles.has(seq)), 'EPIPE')
  }

  /** Takes the primary's reply. */
  settle(reply: BindReply): void {
    if (this.#abandoned) return
    this.#replies.set(reply.seq, reply)
    this.#join(reply.seq)
    // It was sent before the primary knew.
    if (!process.connected) this.disconnected()
  }

  /** Counts who waits to listen: until then the process has nothing else that keeps it alive. */
  wait(change: 1 | -1): void {
    this.#waiting += change
    this.#channel.hold(this.#waiting > 0)
  }

  #refuse(asked: readonly number[], code: 'ECANCELED' | 'EPIPE'): void {
    for (const seq of asked) {
      this.#replies.set(seq, { type: 'bound', seq, ok: false, errno: -process.getBuiltinModule('node:os').constants.errno[code] })
      this.#join(seq)
    }
  }

  #join(seq: number): void {
    const answer = this.#asked.get(seq)
    const reply = this.#replies.get(seq)
    const isPassive = reply?.ok === true && reply.accepts === 'primary'
    const handle = isPassive ? passiveHandle(reply.name, (held) => this.wait(held ? 1 : -1)) : this.#handles.get(seq)
    if (answer === undefined || reply === undefined || (reply.ok && handle === undefined)) return
    this.#asked.delete(seq)
    this.#replies.delete(seq)
    this.#handles.delete(seq)
    this.wait(-1)
    answer(reply, handle)
  }
}
