import { expect } from 'bun:test'
import { until } from '../../support/until.ts'
import { announceInNewRoom, announcement, type CallMembership } from './call-membership.ts'
import type { MatrixClient } from './matrix-client.ts'
import type { Service } from './service.ts'
import { currentBody } from './token-requests.ts'

/** A call that a user is announced in, with a leave that is scheduled. */
export interface ScheduledCall {
  readonly membership: CallMembership
  readonly delayId: string
  /** Body that hands the scheduled leave over. */
  readonly body: Readonly<Record<string, unknown>>
}

/** Announces a user in a new room, and schedules the leave. */
export async function scheduleCall(client: MatrixClient, delayMs: number): Promise<ScheduledCall> {
  return scheduleLeave(client, await announceInNewRoom(client), delayMs)
}

/** Schedules the leave of a user who is announced. */
export async function scheduleLeave(
  client: MatrixClient,
  membership: CallMembership,
  delayMs: number,
): Promise<ScheduledCall> {
  const request = currentBody(client, membership.roomId, await client.requestOpenIdToken())
  const delayId = await membership.scheduleLeave(delayMs)
  const body = { ...request, delay_id: delayId, delay_timeout: delayMs }
  return { membership, delayId, body }
}

/** Requests a token of `/get_token`. */
export async function requestToken(service: Service, body: unknown): Promise<string> {
  const answer = await service.post('/get_token', body)
  expect(answer.status).toBe(200)
  return String(answer.body.jwt)
}

/** A leave that is scheduled. */
export type ScheduledLeave = Pick<ScheduledCall, 'membership' | 'delayId'>

/** Expects that a leave is not sent for a time; one that has been sent stays sent. */
export async function expectToStay(call: ScheduledLeave, durationMs: number): Promise<void> {
  await Bun.sleep(durationMs)
  expect(await call.membership.content()).toEqual(announcement)
  expect(await call.membership.scheduled()).toContain(call.delayId)
}

/** Expects that the room shows within a time that the user has left the call. */
export async function expectToLeave(call: ScheduledLeave, withinMs: number): Promise<void> {
  const hasLeft = async () => Bun.deepEquals(await call.membership.content(), {})
  await until(hasLeft, withinMs)
  expect(await call.membership.scheduled()).not.toContain(call.delayId)
}

/** A change of state of a delegation, as the service logs it. */
interface LoggedTransition {
  readonly to: string
  readonly cause: string
}

/** The changes of state that instances of the service have logged, in order of time. */
function loggedTransitions(services: readonly Service[]): readonly LoggedTransition[] {
  return services
    .flatMap(({ process }) => process.output().split('\n'))
    .filter((line) => line.includes('"message":"delegation"'))
    .sort()
    .map((line) => JSON.parse(line) as LoggedTransition)
}

const logWithinMs = 10_000

async function untilLogged(state: string, services: readonly Service[]): Promise<void> {
  const isLogged = () => loggedTransitions(services).some(({ to }) => to === state)
  await until(isLogged, logWithinMs)
}

/** Waits until an instance has logged that it accepted its only delegation. */
export function untilAccepted(service: Service): Promise<void> {
  return untilLogged('waiting', [service])
}

/** Waits until one of the instances, which have only one delegation, knows of the participant. */
export function untilConnected(...services: readonly Service[]): Promise<void> {
  return untilLogged('connected', services)
}

/** Waits until the only delegation of the instances has ended, and returns all that it went through. */
export async function wholeLife(
  ...services: readonly Service[]
): Promise<readonly LoggedTransition[]> {
  await untilLogged('finished', services)
  return loggedTransitions(services)
}
