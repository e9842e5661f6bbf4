/** Many ends, not all at once: whoever is told to go comes back as soon as he can, and all together are a burst. */

/** So far apart, on the average, until the window is full: a few need no window of seconds. */
const APART_MS = 25

/** How long it may take to end `count` of them, at most `limitMs`. */
export function windowFor(count: number, limitMs: number): number {
  return Math.min(limitMs, count * APART_MS)
}

/** Does it for each, at a moment by chance. A failure is told and changes nothing for the others. */
export async function spread<T>(items: Iterable<T>, action: (item: T) => unknown, limitMs: number, random: () => number = Math.random): Promise<void> {
  const all = [...items]
  const windowMs = windowFor(all.length, limitMs)
  await Promise.all(
    all.map(async (item) => {
      await new Promise((resolve) => {
        setTimeout(resolve, random() * windowMs)
      })
      try {
        await action(item)
      } catch (error) {
        console.error('everycore: a client could not be told to go:', error)
      }
    }),
  )
}
