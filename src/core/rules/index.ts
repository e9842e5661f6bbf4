import { beginReload } from './begin-reload.ts'
import { beginRestart } from './begin-restart.ts'
import { boot } from './boot.ts'
import { deadlines } from './deadlines.ts'
import { dismissSpares } from './dismiss-spares.ts'
import { dues } from './dues.ts'
import { finish } from './finish.ts'
import { finishReload } from './finish-reload.ts'
import { finishRestart } from './finish-restart.ts'
import { freeSockets } from './free-sockets.ts'
import { giveUp } from './give-up.ts'
import { makeRoom } from './make-room.ts'
import { phase } from './phase.ts'
import { prove } from './prove.ts'
import { renew } from './renew.ts'
import { seat } from './seat.ts'
import { shrink } from './shrink.ts'

import { stopping } from './stopping.ts'
import { swap } from './swap.ts'
import { turnBack } from './turn-back.ts'
import type { Rule } from '../compose.ts'

/**
 * All rules, in the order in which they run. Each is idempotent; together they run until none has
 * anything to do. Who must go comes first, then the reload, then the end, then who must come.
 */
export const RULES: readonly Rule[] = [
  dues,
  deadlines,
  prove,
  turnBack,
  swap,
  renew,
  shrink,
  finishReload,
  finishRestart,
  beginRestart,
  beginReload,
  makeRoom,
  giveUp,
  stopping,
  dismissSpares,
  seat,
  boot,
  phase,
  freeSockets,
  finish,
]
