/** Who says how many workers there are: the machine, the load, or somebody who has chosen a number. */
import { EverycoreError } from '../base/errors.ts'
import type { Settings, SizeRange } from '../config/types.ts'
import type { State } from '../core/types.ts'
import { AutoSize } from './auto-size.ts'
import type { Fact } from './engine.ts'
import { LoadSize, type LoadSizePorts } from './load-size.ts'

export interface SizerPorts extends Omit<LoadSizePorts, 'range' | 'resize'> {
  /** What the machine gives now, for what was asked for, or for `auto`; undefined where that was nothing but numbers. */
  readonly derivedRange: (asked?: 'auto') => SizeRange | undefined
  readonly tell: (fact: Fact) => void
}

export class Sizer {
  readonly #ports: SizerPorts
  readonly #machine: AutoSize
  /** Idle where the ends of the range are one. */
  readonly load: LoadSize

  constructor({ sizing, shrinkAfterMs }: Pick<Settings, 'sizing' | 'shrinkAfterMs'>, ports: SizerPorts) {
    this.#ports = ports
    this.#machine = new AutoSize({ least: sizing.size, most: sizing.most }, { read: ports.derivedRange, changed: () => this.#fit() })
    this.load = new LoadSize(shrinkAfterMs, {
      ...ports,
      range: () => this.#machine.range,
      resize: (size, busy) => ports.tell({ type: 'scaleRequested', size, why: 'load', busy }),
    })
  }

  start(): void {
    this.#machine.start()
    this.#watchLoad()
  }

  /** Somebody wants a number from now on, or what the machine and the load say. Returns how many that are. */
  choose(wanted: number | 'auto'): number {
    if (wanted !== 'auto') {
      this.stop()
      return wanted
    }
    this.#machine.follow()
    this.#watchLoad()
    return clamp(this.#ports.state().size, this.#machine.range)
  }

  /** The number stays as it is. */
  stop(): void {
    this.#machine.stop()
    this.load.stop()
  }

  /** The number that there is may be none that is allowed any more. */
  #fit(): void {
    this.#watchLoad()
    const { size } = this.#ports.state()
    const fitting = clamp(size, this.#machine.range)
    if (fitting !== size) this.#ports.tell({ type: 'scaleRequested', size: fitting, why: 'machine' })
  }

  /** A range may get a second end when the machine grows. */
  #watchLoad(): void {
    const { least, most } = this.#machine.range
    if (least < most) this.load.start()
    else this.load.stop()
  }
}

/** The size that is nearest to a number. */
export function clamp(size: number, { least, most }: SizeRange): number {
  return Math.min(most, Math.max(least, size))
}

/**
 * Waits until there are so many workers, all of them ready.
 *
 * @param until waits until a state is reached
 * @throws EverycoreError ERR_EVERYCORE_STATE when somebody wants another number meanwhile
 */
export async function untilSize(size: number, until: (reached: (state: State) => boolean) => Promise<void>): Promise<void> {
  let replacedBy: number | undefined
  await until((state) => {
    if (state.size !== size) replacedBy = state.size
    return replacedBy !== undefined || (state.workers.length === size && state.workers.every(({ phase }) => phase.name === 'ready'))
  })
  if (replacedBy !== undefined) throw new EverycoreError('ERR_EVERYCORE_STATE', `scale(${size}) was not carried out: a later scale(${replacedBy}) replaced it`)
}
