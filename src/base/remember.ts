/** Longer keys are not worth their place. */
const LONGEST = 128

/**
 * Keeps the answers of a pure function, and forgets all of them when there are too many.
 *
 * @param most answers that are kept
 */
export function remember<Value>(most: number, compute: (key: string) => Value): (key: string) => Value {
  const known = new Map<string, Value>()
  return (key) => {
    if (key.length > LONGEST) return compute(key)
    const before = known.get(key)
    if (before !== undefined) return before
    const value = compute(key)
    if (known.size >= most) known.clear()
    known.set(key, value)
    return value
  }
}
