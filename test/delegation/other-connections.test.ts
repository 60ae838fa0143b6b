import { describe, expect, test } from 'bun:test'
import type { Delegation } from '../../src/delegation/delegation.ts'
import type { DelegationEvent, Ended, Joined } from '../../src/delegation/events.ts'
import { advance } from '../../src/delegation/lifecycle.ts'
import { around, connected, leaving, NOW, waiting } from '../support/delegations.ts'

const BEFORE = NOW - 10_001

function after(delegation: Delegation, event: DelegationEvent) {
  return advance(delegation, event, around()).next
}

function ended(type: Ended['type'], more: Partial<Ended> = {}): Ended {
  const how = { onPurpose: true, replaced: false }
  return { type, cause: type, participantId: 'PA_1', happenedBy: NOW + 999, ...how, ...more }
}

function joined(participantId: string | undefined): Joined {
  return { type: 'joined', cause: 'participant_joined', participantId, happenedBy: NOW + 999 }
}

describe.each(['left', 'aborted'] as const)('%s', (type) => {
  test('of a connection that was replaced has presence checked at once', () => {
    const replaced = ended(type, { onPurpose: false, replaced: true })
    expect(after(waiting(), replaced)).toEqual(waiting({ checkAt: NOW }))
    expect(after(connected(), replaced)).toEqual(connected({ checkAt: NOW }))
  })

  test('before the delegation was accepted has presence checked at once', () => {
    expect(after(waiting(), ended(type, { happenedBy: BEFORE }))).toEqual(waiting({ checkAt: NOW }))
  })

  test('is remembered with the ID of the connection that has ended', () => {
    const { participantId, ...unknown } = connected({ connectedAt: NOW - 60_000 })
    expect(after(unknown, ended(type, { participantId: 'PA_7' }))).toMatchObject({
      state: 'leaving',
      participantId: 'PA_7',
    })
    expect(after(connected(), ended(type))).toEqual(leaving({ sendAt: NOW }))
    const withoutId = after(
      connected({ connectedAt: NOW - 60_000 }),
      ended(type, { participantId: undefined }),
    )
    expect(withoutId).toEqual(leaving({ sendAt: NOW }))
  })
})

test('leaving on purpose while waiting is remembered with the ID of the connection', () => {
  expect(after(waiting(), ended('left', { participantId: 'PA_7' }))).toEqual(
    leaving({ sendAt: NOW, participantId: 'PA_7' }),
  )
})

describe('whoever joins while the leave is to be sent', () => {
  const again = { state: 'connected', connectedAt: NOW, restartAt: NOW, checkAt: NOW } as const

  test('is connected again, and presence is checked at once', () => {
    expect(after(leaving(), joined('PA_2'))).toEqual(connected({ ...again, participantId: 'PA_2' }))
  })

  test('is connected again when it is not told which connection it is', () => {
    const { participantId, ...unknown } = connected(again)
    expect(after(leaving(), joined(undefined))).toEqual(unknown)
  })

  test('is connected again when it is not known which connection has ended', () => {
    const { participantId, ...unknown } = leaving()
    expect(after(unknown, joined('PA_1'))).toEqual(connected(again))
    expect(after(unknown, joined(undefined))).toMatchObject(again)
  })

  test('is not, where it is surely the connection that has ended', () => {
    expect(after(leaving(), joined('PA_1'))).toEqual(leaving())
  })

  test('keeps the place of the client API', () => {
    const clientApiUrl = 'https://hs.test'
    expect(after(leaving({ clientApiUrl }), joined('PA_2'))).toMatchObject({ clientApiUrl })
  })
})
