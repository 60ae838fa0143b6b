import type { DelegationStore } from './store.ts'

/** The methods of a store, as own properties: a store that wraps it is spread from them. */
export function methodsOf(store: DelegationStore): DelegationStore {
  return {
    put: (delegation, bounds) => store.put(delegation, bounds),
    find: (key) => store.find(key),
    findInRoom: (room) => store.findInRoom(room),
    claimDue: (now, limit, maxLeaseMs) => store.claimDue(now, limit, maxLeaseMs),
    replace: (stored, next, notice) => store.replace(stored, next, notice),
    postpone: (stored, at) => store.postpone(stored, at),
    wakeAll: () => store.wakeAll(),
    scan: (visit) => store.scan(visit),
    heartbeat: () => store.heartbeat(),
    survey: (now) => store.survey(now),
    mend: () => store.mend(),
    restore: (delegation) => store.restore(delegation),
    onWake: (listener) => store.onWake(listener),
    close: () => store.close(),
  }
}
