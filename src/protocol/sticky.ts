/** What both halves must agree on for sticky sessions: which slot a client belongs to. */

/** How a worker finds out whose a request is. */
export interface StickyRules {
  /** `function`: the primary asks one of its own, so each connection goes there with its head. */
  readonly by: 'ip' | 'cookie' | 'header' | 'function'
  /** Of the header, or of the app's own session cookie; null: none. */
  readonly name: string | null
  /** Key of this run for hashes and signatures, hexadecimal. */
  readonly secret: string
  /** Who may say for whom it speaks: addresses, `address/bits`, or `unix`. */
  readonly trusted: readonly string[]
  /** Directory of the sockets on which workers pass requests to each other; null: they do not. */
  readonly socketDir: string | null
}

/** A slot that takes connections, and the process that has it. */
export interface Seat {
  readonly slot: number
  readonly pid: number
}

/** Where a worker takes requests of a server's from the other workers. */
export function passSocketName(pid: number, secret: string, key: string): string {
  return `${pid}-${pinOf(secret, key).toString(16)}.sock`
}

/** A client's key as 32 bits that nobody can choose who does not know the secret. */
export function pinOf(secret: string, key: string): number {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(secret).update(key).digest().readUInt32LE(0)
}

/**
 * The slots in the order in which they should have the client. When slots come or go, only those clients change
 * whose first one it is: highest random weight.
 *
 * @see Thaler, Ravishankar: Using name-based mappings to increase hit rates (1998)
 */
export function ranking(pin: number, slots: readonly number[]): readonly number[] {
  return [...slots].sort((a, b) => weight(pin, b) - weight(pin, a) || a - b)
}

/** Who has the slot that the client belongs to. */
export function holderOf(pin: number, seats: readonly Seat[]): Seat | undefined {
  const owner = ownerOf(pin, seats.map(({ slot }) => slot))
  return seats.find(({ slot }) => slot === owner)
}

/** The first of the {@link ranking}. */
export function ownerOf(pin: number, slots: readonly number[]): number | undefined {
  let owner: number | undefined
  let highest = -1
  for (const slot of slots) {
    const own = weight(pin, slot)
    if (own < highest || (own === highest && owner !== undefined && owner < slot)) continue
    owner = slot
    highest = own
  }
  return owner
}

/** The last step of MurmurHash3 (fmix32), over both. */
function weight(pin: number, slot: number): number {
  let mixed = pin ^ Math.imul(slot + 1, 0x9e_37_79_b1)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85_eb_ca_6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2_b2_ae_35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** What an address stands for: itself, or with IPv6 its network of 64 bits, in which a client may change its address at any time (RFC 8981). */
export function clientOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!address.includes(':')) return address
  const [head = '', tail = ''] = (address.split('%', 1)[0] ?? '').toLowerCase().split('::')
  const before = head.split(':').filter((group) => group !== '')
  const after = tail.split(':').filter((group) => group !== '')
  const groups = address.includes('::') ? [...before, ...Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0'), ...after] : before
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':')
}
