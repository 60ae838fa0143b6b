import { describe, expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import type { Delegation } from '../../src/delegation/life/record.ts'
import type { DelegationSignal, Ended, Joined } from '../../src/delegation/life/signals.ts'
import { circumstances, connected, leaving, NOW, waiting } from '../support/delegations.ts'

const BEFORE = NOW - 10_001

function after(delegation: Delegation, signal: DelegationSignal) {
  return advance(delegation, signal, circumstances()).next
}

function ended(type: Ended['type'], more: Partial<Ended> = {}): Ended {
  const how = { onPurpose: true, replaced: false }
  return { type, cause: type, participantId: 'PA_1', happenedBy: NOW + 999, ...how, ...more }
}

function joined(participantId: string | undefined): Joined {
  return { type: 'joined', cause: 'participant_joined', participantId, happenedBy: NOW + 999 }
}

describe.each(['left', 'aborted'] as const)('%s', (type) => {
  test('of a replaced connection causes a presence check within 2 s', () => {
    const replaced = ended(type, { onPurpose: false, replaced: true })
    const far = { checkAt: NOW + 10_000 }
    expect(after(waiting(far), replaced)).toEqual(waiting({ checkAt: NOW + 2_000 }))
    expect(after(connected(far), replaced)).toEqual(
      connected({ checkAt: NOW + 2_000, replacedAt: NOW }),
    )
  })

  test('before acceptance causes a presence check at once', () => {
    expect(after(waiting(), ended(type, { happenedBy: BEFORE }))).toEqual(waiting({ checkAt: NOW }))
  })

  test('stores the ID of the connection that ended', () => {
    expect(after(connected(), ended(type))).toEqual(leaving({ sendAt: NOW }))
  })

  test('of a possibly different connection causes a presence check at once', () => {
    const { participantId, ...unknown } = connected()
    const checked = { ...unknown, checkAt: NOW }
    expect(after(unknown, ended(type, { participantId: 'PA_7' }))).toEqual(checked)
    expect(after(connected(), ended(type, { participantId: undefined }))).toEqual(
      connected({ checkAt: NOW }),
    )
  })
})

test('leaving on purpose while waiting stores the ID of the connection', () => {
  expect(after(waiting(), ended('left', { participantId: 'PA_7' }))).toEqual(
    leaving({ sendAt: NOW, participantId: 'PA_7' }),
  )
})

describe('a participant who joins while the leave is to be sent', () => {
  const again = { state: 'connected', connectedAt: NOW, restartAt: NOW, checkAt: NOW } as const

  test('is connected again and checked at once', () => {
    expect(after(leaving(), joined('PA_2'))).toEqual(connected({ ...again, participantId: 'PA_2' }))
  })

  test('is connected again when the report has no connection ID', () => {
    const { participantId, ...unknown } = connected(again)
    expect(after(leaving(), joined(undefined))).toEqual(unknown)
  })

  test('is connected again when the ended connection is unknown', () => {
    const { participantId, ...unknown } = leaving()
    expect(after(unknown, joined('PA_1'))).toEqual(connected(again))
    expect(after(unknown, joined(undefined))).toMatchObject(again)
  })

  test('is not connected when it is the connection that ended', () => {
    expect(after(leaving(), joined('PA_1'))).toEqual(leaving())
  })

  test('keeps user ID and client API', () => {
    const known = { clientApiUrl: 'https://hs.test', userId: '@alice:hs.test' }
    expect(after(leaving(known), joined('PA_2'))).toMatchObject(known)
    expect(after(connected(known), ended('left'))).toMatchObject(known)
  })
})

describe('a participant whom the SFU reports absent', () => {
  const missed = connected({ absentSince: NOW - 500, checkAt: NOW + 1_500 })

  test('is checked again 2 s later, while restarts go on', () => {
    const first = after(connected(), { type: 'absent' })
    expect(first).toEqual(connected({ absentSince: NOW, checkAt: NOW + 2_000 }))
    expect(after(missed, { type: 'restarted', at: NOW })).toMatchObject({
      absentSince: NOW - 500,
      restartAt: NOW + 24_000,
    })
  })

  test('does not count as absent while another connection replaces theirs', () => {
    const replaced = connected({ replacedAt: NOW - 500, checkAt: NOW })
    expect(after(replaced, { type: 'absent' })).toEqual({ ...replaced, checkAt: NOW + 1_500 })
  })

  test('is not gone after an earlier second check', () => {
    expect(after(missed, { type: 'absent' })).toEqual(missed)
  })

  test('is gone when a second check after 2 s says so too', () => {
    const long = connected({ absentSince: NOW - 2_000 })
    expect(after(long, { type: 'absent' })).toMatchObject({ state: 'leaving', sendAt: NOW })
  })

  test('is gone at once when a webhook ends this very connection', () => {
    expect(after(missed, ended('left'))).toMatchObject({ state: 'leaving', sendAt: NOW })
  })

  test('is not absent any more when found present, or when they join', () => {
    expect(after(missed, { type: 'present', participantId: 'PA_1' })).not.toHaveProperty(
      'absentSince',
    )
    expect(after(missed, joined('PA_2'))).not.toHaveProperty('absentSince')
  })
})

describe('a leave that could not be sent', () => {
  const failed = after(leaving({ sendAt: NOW }), { type: 'attempt-failed', answered: false })

  function due(delegation: unknown, now: number) {
    return advance(
      delegation as ReturnType<typeof leaving>,
      { type: 'due' },
      circumstances({ now }),
    )
  }

  test('is not sent before another presence check', () => {
    expect(due(failed, NOW + 1_000).action).toBe('check-presence')
  })

  test('is sent when the participant is absent or the SFU does not answer', () => {
    for (const type of ['absent', 'presence-unknown'] as const) {
      const next = after(failed as ReturnType<typeof leaving>, { type })
      expect(due(next, NOW).action).toBe('send')
    }
  })

  test('is not sent when the participant is back, whether or not the ended connection is known', () => {
    const { participantId, ...unknown } = failed as ReturnType<typeof leaving>
    for (const delegation of [failed as ReturnType<typeof leaving>, unknown]) {
      expect(after(delegation, { type: 'present', participantId: 'PA_2' })).toMatchObject({
        state: 'connected',
        participantId: 'PA_2',
      })
    }
  })

  test('is sent even if the SFU still reports the ended connection', () => {
    const next = after(failed as ReturnType<typeof leaving>, {
      type: 'present',
      participantId: 'PA_1',
    })
    expect(due(next, NOW).action).toBe('send')
  })
})
