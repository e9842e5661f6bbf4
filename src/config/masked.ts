const SECRET = /(?:token|secret|passw|credential|api-?key|private-?key|auth)/i
const STARS = '***'

/** Arguments for people: the value of one that is called like a secret, and the password of a URL, are left out. */
export function masked(words: readonly string[]): readonly string[] {
  return words.map((word, index) => {
    const before = words[index - 1] ?? ''
    if (!word.startsWith('-') && before.startsWith('-') && !before.includes('=') && SECRET.test(before)) return STARS
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(word) ?? []
    if (name !== undefined && value !== undefined && SECRET.test(name)) return `${name}=${STARS}`
    return word.replaceAll(/:\/\/([^/\s:@]*):[^/\s@]+@/g, `://$1:${STARS}@`)
  })
}
