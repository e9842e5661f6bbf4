/** What each key does. */
import { assertNever } from '../base/assert-never.ts'
import { seatsOf, shownLogs, type Model, type Seat } from './model.ts'

/** As `readline.emitKeypressEvents` tells it. */
export interface Key {
  readonly name?: string | undefined
  readonly sequence?: string | undefined
  readonly ctrl?: boolean | undefined
}

/** What is to be done besides showing something else. */
export type Command = 'quit' | 'suspend' | 'redraw' | 'reload' | 'scale-up' | 'scale-down'

export interface Pressed {
  readonly model: Model
  readonly command?: Command
}

/** For the last line of the screen and the help. The first are the most important. */
export const KEYS = [
  { keys: 'r', does: 'reload', help: 'new code without a gap; asks first' },
  { keys: '+ -', does: 'scale', help: 'one worker more, one less' },
  { keys: 'l', does: 'logs', help: 'logs on the whole screen, or a part of it' },
  { keys: '/', does: 'filter', help: 'only lines with that text; Enter keeps it, Esc drops it' },
  { keys: '?', does: 'help', help: 'this list' },
  { keys: 'q', does: 'quit', help: 'ends this view, not the app; Ctrl-C too' },
  { keys: 'Enter', does: 'details', help: 'all figures of a worker, and its lines; again or Esc: all workers' },
  { keys: 'Up Down', does: 'select', help: 'selects a worker; j and k too. With all logs: scrolls them' },
  { keys: 'PgUp PgDn', does: 'scroll', help: 'scrolls the logs; End follows them again' },
  { keys: 'Ctrl-L', does: 'redraw', help: 'draws all anew' },
] as const

const PAGE = 10

export function press(model: Model, key: Key): Pressed {
  if (key.ctrl === true) {
    if (key.name === 'c') return { model, command: 'quit' }
    if (key.name === 'z') return { model, command: 'suspend' }
    if (key.name === 'l') return { model, command: 'redraw' }
    if (key.name !== 'u') return { model }
  }
  const { mode } = model
  switch (mode.name) {
    case 'main':
      return pressMain(model, key)
    case 'help':
      return key.sequence === 'q' ? { model, command: 'quit' } : { model: { ...model, mode: { name: 'main' } } }
    case 'confirm':
      return { model: { ...model, mode: { name: 'main' } }, ...((key.sequence === 'y' || key.sequence === 'Y') && { command: 'reload' }) }
    case 'filter':
      return { model: pressFilter(model, mode.before, key) }
    default:
      return assertNever(mode)
  }
}

function pressMain(model: Model, { name, sequence = '' }: Key): Pressed {
  switch (sequence) {
    case 'q':
      return { model, command: 'quit' }
    case 'r':
      return { model: model.lost === undefined ? { ...model, mode: { name: 'confirm' } } : model }
    case '+':
    case '=':
      return { model, command: 'scale-up' }
    case '-':
      return { model, command: 'scale-down' }
    case 'l':
      return { model: { ...model, isLogsFull: !model.isLogsFull, back: 0 } }
    case '/':
      return { model: { ...model, mode: { name: 'filter', before: model.filter }, back: 0 } }
    case '?':
      return { model: { ...model, mode: { name: 'help' } } }
    default:
      return { model: moved(model, name ?? '') }
  }
}

function moved(model: Model, name: string): Model {
  const by = model.isLogsFull ? scrolled : selected
  switch (name) {
    case 'up':
    case 'k':
      return by(model, -1)
    case 'down':
    case 'j':
      return by(model, 1)
    case 'pageup':
      return scrolled(model, -PAGE)
    case 'pagedown':
      return scrolled(model, PAGE)
    case 'home':
      return scrolled(model, Number.NEGATIVE_INFINITY)
    case 'end':
      return { ...model, back: 0 }
    case 'return':
    case 'enter':
      return { ...model, isDetailed: !model.isDetailed, isLogsFull: false, back: 0 }
    case 'escape':
      if (model.isDetailed || model.isLogsFull) return { ...model, isDetailed: false, isLogsFull: false, back: 0 }
      return { ...model, filter: '', back: 0 }
    default:
      return model
  }
}

function selected(model: Model, by: number): Model {
  const seats = seatsOf(model.report?.workers ?? [])
  const at = Math.min(seats.length - 1, Math.max(0, seats.indexOf(model.selected) + by))
  const seat: Seat | undefined = seats[at]
  return seat === undefined ? model : { ...model, selected: seat }
}

function scrolled(model: Model, by: number): Model {
  return { ...model, back: Math.max(0, Math.min(shownLogs(model).length - 1, model.back - by)) }
}

function pressFilter(model: Model, before: string, { name, sequence = '', ctrl }: Key): Model {
  if (name === 'return' || name === 'enter') return { ...model, mode: { name: 'main' } }
  if (name === 'escape') return { ...model, mode: { name: 'main' }, filter: before }
  if (ctrl === true) return { ...model, filter: '' }
  if (name === 'backspace') return { ...model, filter: model.filter.replace(/.$/su, '') }
  return /^[^\p{Cc}]$/u.test(sequence) ? { ...model, filter: model.filter + sequence } : model
}
