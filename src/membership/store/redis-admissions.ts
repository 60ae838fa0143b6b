import type { ParticipantKey } from '../../delegation/life/record.ts'
import { RedisConnection } from '../../delegation/store/redis-connection.ts'
import { runScript, type Script } from '../../delegation/store/redis-eval.ts'
import { besideJobs } from '../../delegation/store/redis-keys.ts'
import { fieldOf, strings } from '../../delegation/store/redis-records.ts'
import { memberOf, parseJson, textMember } from '../../lib/json.ts'
import type { Admission, AdmissionOutcome, AdmissionStore } from './admissions.ts'
import { ADMIT, ADMITTED, CLAIM_CHECKS, FORGET, RESCHEDULE } from './redis-admission-scripts.ts'

/** Sorted set of Matrix room IDs by the time of their next check, or by the end of the lease. */
const CHECKS_KEY = besideJobs('checks')

/** Hash of the tokens of a Matrix room: field is `[room, identity]`, value the token as JSON. */
function roomKey(matrixRoom: string): string {
  return besideJobs(`admitted:${matrixRoom}`)
}

/** Sorted set of the fields of a user's tokens, by expiry. */
function userKey(userId: string): string {
  return besideJobs(`tokens:${userId}`)
}

/** Holds the Matrix room of a participant. */
function participantKey(key: ParticipantKey): string {
  return besideJobs(`room-of:${fieldOf(key)}`)
}

/** Reads a stored token, as a list of one; empty if the text is none. */
export function toAdmissions(text: string): readonly Admission[] {
  const json = parseJson(text)
  const expiresAt = memberOf(json, 'expiresAt')
  const matrixRoom = textMember(json, 'matrixRoom')
  const room = textMember(json, 'room')
  const identity = textMember(json, 'identity')
  const userId = textMember(json, 'userId')
  if (typeof expiresAt !== 'number' || !Number.isFinite(expiresAt)) return []
  if (matrixRoom === undefined || room === undefined) return []
  if (identity === undefined || userId === undefined) return []
  return [{ room, identity, matrixRoom, userId, expiresAt }]
}

/** Settings of {@link openRedisAdmissions}. */
export interface RedisAdmissionsOptions {
  /** `redis://` or `rediss://`, with credentials and database number. */
  readonly url: string
  /** Timeout of a command. */
  readonly timeoutMs?: number | undefined
}

/**
 * Remembers tokens in Redis or Valkey, for any number of replicas. Every key but that of the checks
 * expires with the tokens in it. It resolves even if Redis cannot be reached, and goes on trying.
 */
export async function openRedisAdmissions(
  options: RedisAdmissionsOptions,
): Promise<AdmissionStore> {
  const connection = new RedisConnection({
    ...options,
    prepare: async () => {},
    // The connection of the delegations goes to the same server, and its state is logged.
    onChange: () => {},
  })
  await connection.start()

  function run(script: Script, keys: readonly string[], args: readonly (string | number)[]) {
    return runScript(connection, script, keys, args)
  }

  return {
    async put(admission, perUser, now, firstCheckAt) {
      const { expiresAt, ...rest } = admission
      const { matrixRoom, userId } = admission
      const keys = [roomKey(matrixRoom), userKey(userId), participantKey(admission), CHECKS_KEY]
      const outcome = await run(ADMIT, keys, [
        ...[fieldOf(admission), JSON.stringify(rest).slice(1), Math.ceil(expiresAt), now],
        ...[perUser, matrixRoom, Math.ceil(firstCheckAt)],
      ])
      return outcome as AdmissionOutcome
    },

    async forget(admission) {
      const { matrixRoom, userId, expiresAt } = admission
      const keys = [roomKey(matrixRoom), userKey(userId), participantKey(admission)]
      await run(FORGET, keys, [fieldOf(admission), Math.ceil(expiresAt)])
    },

    async matrixRoomOf(key, now) {
      const matrixRoom = await connection.send('GET', [participantKey(key)])
      if (typeof matrixRoom !== 'string') return undefined
      const value = await connection.send('HGET', [roomKey(matrixRoom), fieldOf(key)])
      const [admission] = typeof value === 'string' ? toAdmissions(value) : []
      return admission !== undefined && admission.expiresAt > now ? matrixRoom : undefined
    },

    async admissionsIn(matrixRoom, now) {
      return strings(await run(ADMITTED, [roomKey(matrixRoom)], [now])).flatMap(toAdmissions)
    },

    async claimDue(now, limit, leaseUntil) {
      const found = strings(await run(CLAIM_CHECKS, [CHECKS_KEY], [now, limit, leaseUntil]))
      const [next = '', ...rooms] = found
      return { rooms, nextDueAt: next === '' ? undefined : Number(next) }
    },

    async claim(matrixRoom, leaseUntil) {
      await connection.send('ZADD', [CHECKS_KEY, 'XX', String(leaseUntil), matrixRoom])
    },

    async reschedule(matrixRoom, leaseUntil, at) {
      const keys = [CHECKS_KEY, roomKey(matrixRoom)]
      await run(RESCHEDULE, keys, [matrixRoom, leaseUntil, Math.ceil(at)])
    },

    close: async () => connection.close(),
  }
}
