import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import { createChanges } from '../../src/delegation/work/changes.ts'
import { Performer } from '../../src/delegation/work/performer.ts'
import { ServerSlots } from '../../src/delegation/work/server-slots.ts'
import { circumstances, NOW } from './delegations.ts'
import { createEffects } from './effects.ts'

/** Sets up a performer without a worker, and so without wakes, as when the connection for them is lost. */
export function createPerformerStage() {
  const store = new SqliteStore(':memory:')
  /** Changes of state so far, such as `waiting → connected: participant_joined`. */
  const transitions: string[] = []
  const changes = createChanges({
    store,
    circumstances,
    onTransition: (_, { from, to, cause }) => transitions.push(`${from} → ${to}: ${cause}`),
  })
  const effects = createEffects(() => NOW)
  const servers = new ServerSlots(96)
  const performer = new Performer({
    ...{ store, changes, effects, circumstances, servers },
    presenceChecks: 96,
  })
  return { store, changes, effects, performer, transitions }
}
