import { EverycoreError } from '../../base/errors.ts'

/** Where a text stops being JSON. Not the words of `JSON.parse`: they quote the text, which may hold a secret. */
const TOKEN = /[\s]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y

/**
 * Parses JSON of a person.
 *
 * @param hint what to do when the file is none
 * @throws EverycoreError ERR_EVERYCORE_CONFIG with file and line
 */
export function parseJson(text: string, file: string, hint?: string): unknown {
  const plain = text.replace(/^\uFEFF/, '')
  try {
    return JSON.parse(plain)
  } catch {
    const { line, expected } = firstMistake(plain)
    throw new EverycoreError('ERR_EVERYCORE_CONFIG', `cannot parse ${file}`, { why: `Line ${line} is not JSON: expected ${expected}.`, ...(hint !== undefined && { hint }) })
  }
}

interface Mistake {
  /** From 1. */
  readonly line: number
  readonly expected: string
}

type State = 'value' | 'firstValue' | 'key' | 'firstKey' | 'colon' | 'afterValue'

const EXPECTED: Readonly<Record<State, string>> = {
  value: 'a value',
  firstValue: 'a value or ]',
  key: 'a name in double quotes',
  firstKey: 'a name in double quotes or }',
  colon: ': after the name',
  afterValue: 'a comma or the closing bracket',
}

/** Walks through the tokens with a stack of open brackets, in linear time. */
function firstMistake(text: string): Mistake {
  const open: ('{' | '[')[] = []
  let state: State = 'value'
  let at = 0
  const mistake = (): Mistake => ({ line: text.slice(0, at + /^\s*/.exec(text.slice(at, at + 10_000))![0].length).split('\n').length, expected: state === 'afterValue' && open.length === 0 ? 'the end of the file' : EXPECTED[state] })
  for (;;) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (match === null) return mistake()
    const [, mark, string, literal] = match
    const next: State | undefined = afterToken({ state, mark, isString: string !== undefined, isLiteral: literal !== undefined, open })
    if (next === undefined) return mistake()
    state = next
    at = TOKEN.lastIndex
  }
}

interface Step {
  readonly state: State
  readonly mark: string | undefined
  readonly isString: boolean
  readonly isLiteral: boolean
  /** Changed by brackets. */
  readonly open: ('{' | '[')[]
}

function afterToken({ state, mark, isString, isLiteral, open }: Step): State | undefined {
  const wantsValue = state === 'value' || state === 'firstValue'
  if (isLiteral) return wantsValue ? 'afterValue' : undefined
  if (isString) return wantsValue ? 'afterValue' : state === 'key' || state === 'firstKey' ? 'colon' : undefined
  if (mark === '{' || mark === '[') {
    if (!wantsValue) return undefined
    open.push(mark)
    return mark === '{' ? 'firstKey' : 'firstValue'
  }
  if (mark === ':') return state === 'colon' ? 'value' : undefined
  const inside = open.at(-1)
  if (mark === ',') return state !== 'afterValue' || inside === undefined ? undefined : inside === '{' ? 'key' : 'value'
  const isEnd = mark === '}' ? inside === '{' && (state === 'afterValue' || state === 'firstKey') : inside === '[' && (state === 'afterValue' || state === 'firstValue')
  if (!isEnd) return undefined
  open.pop()
  return 'afterValue'
}
