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
    // A copy: the key may be a slice, which keeps the whole string that it was cut from.
    known.set(Buffer.from(key).toString(), value)
    return value
  }
}
