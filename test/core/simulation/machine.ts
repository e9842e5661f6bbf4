import { step } from '../../../src/core/step.ts'
import { wakeAt } from '../../../src/core/wake-at.ts'
import type { StepFunction } from '../../../src/core/step.ts'
import type { State } from '../../../src/core/types.ts'

/** What is under test: the supervisor, or a broken variant of it. */
export interface Machine {
  readonly step: StepFunction
  readonly wakeAt: (state: State, now: number) => number | undefined
}

export const MACHINE: Machine = { step, wakeAt }
