import { EverycoreError } from '../../base/errors.ts'

/** The slot that a word names. @throws EverycoreError ERR_EVERYCORE_USAGE */
export function slotOf(word: string | undefined): number {
  if (word !== undefined && /^\d{1,4}$/.test(word)) return Number(word)
  throw new EverycoreError('ERR_EVERYCORE_USAGE', `${JSON.stringify(word)} is no slot`, { hint: 'It is a number from 0 on; everycore status shows which there are.' })
}
