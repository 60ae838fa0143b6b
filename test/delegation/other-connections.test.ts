import { describe, expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import type { Delegation } from '../../src/delegation/life/record.ts'
import type { DelegationSignal, Ended, Joined } from '../../src/delegation/life/signals.ts'
import { circumstances, connected, leaving, NOW, waiting } from '../support/delegations.ts'

const BEFORE = NOW - 10_001

function after(delegation: Delegation, event: DelegationSignal) {
  return advance(delegation, event, circumstances()).next
}

function ended(type: Ended['type'], more: Partial<Ended> = {}): Ended {
  const how = { onPurpose: true, replaced: false }
  return { type, cause: type, participantId: 'PA_1', happenedBy: NOW + 999, ...how, ...more }
}

function joined(participantId: string | undefined): Joined {
  return { type: 'joined', cause: 'participant_joined', participantId, happenedBy: NOW + 999 }
}

describe.each(['left', 'aborted'] as const)('%s', (type) => {
  test('of a connection that was replaced has presence checked within 2 s', () => {
    const replaced = ended(type, { onPurpose: false, replaced: true })
    const far = { checkAt: NOW + 10_000 }
    expect(after(waiting(far), replaced)).toEqual(waiting({ checkAt: NOW + 2_000 }))
    expect(after(connected(far), replaced)).toEqual(
      connected({ checkAt: NOW + 2_000, replacedAt: NOW }),
    )
  })

  test('before the delegation was accepted has presence checked at once', () => {
    expect(after(waiting(), ended(type, { happenedBy: BEFORE }))).toEqual(waiting({ checkAt: NOW }))
  })

  test('is remembered with the ID of the connection that has ended', () => {
    expect(after(connected(), ended(type))).toEqual(leaving({ sendAt: NOW }))
  })

  test('of which it is not known whether it is the present one has presence checked at once', () => {
    const { participantId, ...unknown } = connected()
    const checked = { ...unknown, checkAt: NOW }
    expect(after(unknown, ended(type, { participantId: 'PA_7' }))).toEqual(checked)
    expect(after(connected(), ended(type, { participantId: undefined }))).toEqual(
      connected({ checkAt: NOW }),
    )
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

  test('keeps its user and the place of the client API', () => {
    const known = { clientApiUrl: 'https://hs.test', userId: '@alice:hs.test' }
    expect(after(leaving(known), joined('PA_2'))).toMatchObject(known)
    expect(after(connected(known), ended('left'))).toMatchObject(known)
  })
})

describe('whoever is missed by the SFU', () => {
  const missed = connected({ absentSince: NOW - 500, checkAt: NOW + 1_500 })

  test('is looked for once more 2 s later, and restarts go on meanwhile', () => {
    const first = after(connected(), { type: 'absent' })
    expect(first).toEqual(connected({ absentSince: NOW, checkAt: NOW + 2_000 }))
    expect(after(missed, { type: 'restarted', at: NOW })).toMatchObject({
      absentSince: NOW - 500,
      restartAt: NOW + 24_000,
    })
  })

  test('is not missed while another connection takes the place of theirs', () => {
    const replaced = connected({ replacedAt: NOW - 500, checkAt: NOW })
    expect(after(replaced, { type: 'absent' })).toEqual({ ...replaced, checkAt: NOW + 1_500 })
  })

  test('is not taken for gone by a look that comes earlier', () => {
    expect(after(missed, { type: 'absent' })).toEqual(missed)
  })

  test('is gone when a look after 2 s does not find them either', () => {
    const long = connected({ absentSince: NOW - 2_000 })
    expect(after(long, { type: 'absent' })).toMatchObject({ state: 'leaving', sendAt: NOW })
  })

  test('is gone at once when the SFU reports the end of this very connection', () => {
    expect(after(missed, ended('left'))).toMatchObject({ state: 'leaving', sendAt: NOW })
  })

  test('is there when found present, or when they join', () => {
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

  test('is not sent before the SFU was asked again', () => {
    expect(due(failed, NOW + 1_000).action).toBe('check-presence')
  })

  test('is sent when nobody is found, or the SFU does not say', () => {
    for (const type of ['absent', 'presence-unknown'] as const) {
      const next = after(failed as ReturnType<typeof leaving>, { type })
      expect(due(next, NOW).action).toBe('send')
    }
  })

  test('is not sent when the participant is back, whether or not it is known who has left', () => {
    const { participantId, ...unknown } = failed as ReturnType<typeof leaving>
    for (const delegation of [failed as ReturnType<typeof leaving>, unknown]) {
      expect(after(delegation, { type: 'present', participantId: 'PA_2' })).toMatchObject({
        state: 'connected',
        participantId: 'PA_2',
      })
    }
  })

  test('is sent though the SFU still names the connection that has ended', () => {
    const next = after(failed as ReturnType<typeof leaving>, {
      type: 'present',
      participantId: 'PA_1',
    })
    expect(due(next, NOW).action).toBe('send')
  })
})
