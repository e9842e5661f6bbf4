import type { Found } from './types.ts'
import type { Host } from './host.ts'
import { settingError } from './problems.ts'

/** The numbers that the workers run as; undefined means unchanged. */
export interface Identity {
  readonly uid: number | undefined
  readonly gid: number | undefined
}

type Given = Found<number | string | undefined>

interface Account {
  readonly name: string
  readonly id: number
  /** Main group, of users only. */
  readonly gid: number
}

/**
 * Turns `--uid` and `--gid` into numbers. A user without a group gets his main group: never the group that
 * the supervisor has, which is root's.
 *
 * @throws EverycoreError ERR_EVERYCORE_SETTING
 */
export function resolveIdentity(uid: Given, gid: Given, host: Host): Identity {
  const asked = uid.value === undefined ? gid : uid
  if (asked.value === undefined) return { uid: undefined, gid: undefined }
  if (host.euid !== 0) throw settingError(`${asked.where}: only root can run workers as somebody else`, 'Start it as root, or leave out --uid and --gid.')
  const user = uid.value === undefined ? undefined : find(uid.value, readAccounts('/etc/passwd', host))
  if (typeof uid.value === 'string' && user === undefined) throw settingError(`${uid.where}: there is no user ${uid.value} in /etc/passwd`, 'Give the number of the user.')
  const group = resolveGroup(gid, host) ?? user?.gid
  if (uid.value !== undefined && group === undefined) throw settingError(`${uid.where}: user ${uid.value} is not in /etc/passwd, so the group is unknown`, 'Give the group too: --gid.')
  return { uid: typeof uid.value === 'number' ? uid.value : user?.id, gid: group }
}

function resolveGroup({ value, where }: Given, host: Host): number | undefined {
  if (typeof value !== 'string') return value
  const group = find(value, readAccounts('/etc/group', host))
  if (group === undefined) throw settingError(`${where}: there is no group ${value} in /etc/group`, 'Give the number of the group.')
  return group.id
}

function find(wanted: number | string, accounts: readonly Account[]): Account | undefined {
  return accounts.find(({ name, id }) => (typeof wanted === 'number' ? id === wanted : name === wanted))
}

/** `name:password:id:gid:…`; in /etc/group the fourth field is something else and is not used. */
function readAccounts(path: string, host: Host): readonly Account[] {
  let text: string
  try {
    text = host.readFile(path)
  } catch {
    return []
  }
  return text.split('\n').flatMap((line) => {
    const [name = '', , id = '', gid = ''] = line.split(':')
    return /^\d+$/.test(id) ? [{ name, id: Number(id), gid: Number(gid) }] : []
  })
}
