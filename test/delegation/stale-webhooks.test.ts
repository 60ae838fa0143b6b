import { describe, expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import type { Delegation } from '../../src/delegation/life/record.ts'
import type {
  DelegationSignal,
  Departed,
  Ended,
  Joined,
} from '../../src/delegation/life/signals.ts'
import { circumstances, connected, leaving, NOW, waiting } from '../support/delegations.ts'

const MINUTE_AGO = NOW - 60_000 + 999

function joined(participantId: string | undefined, happenedBy?: number): Joined {
  return { type: 'joined', cause: 'participant_joined', participantId, happenedBy }
}

function left(participantId: string | undefined, happenedBy?: number): Ended {
  const how = { onPurpose: true, replaced: false }
  return { type: 'left', cause: 'participant_left', participantId, happenedBy, ...how }
}

function aborted(participantId: string | undefined, happenedBy?: number): Ended {
  const how = { onPurpose: false, replaced: false }
  return { type: 'aborted', cause: 'aborted', participantId, happenedBy, ...how }
}

function roomFinished(happenedBy?: number): Departed {
  return { type: 'room-finished', cause: 'room_finished', happenedBy }
}

/** The delegation after these signals, each a millisecond after the one before. */
function afterAll(start: Delegation, ...signals: readonly DelegationSignal[]) {
  let current: Delegation | undefined = start
  signals.forEach((signal, index) => {
    if (current === undefined) return
    current = advance(current, signal, circumstances({ now: NOW + index })).next
  })
  return current as Delegation | undefined
}

describe('the end of a connection', () => {
  test("counts for the participant's own connection, however old the report is", () => {
    expect(afterAll(connected(), left('PA_1', MINUTE_AGO))).toMatchObject({
      state: 'leaving',
      participantId: 'PA_1',
    })
  })

  test('of another connection only causes a presence check at once', () => {
    const checked = connected({ checkAt: NOW })
    expect(afterAll(connected(), left('PA_0', NOW + 999))).toEqual(checked)
    expect(afterAll(connected(), left('PA_0', MINUTE_AGO))).toEqual(checked)
    expect(afterAll(connected(), left('PA_0'))).toEqual(checked)
  })

  test('of a replaced connection causes a presence check 2 s later', () => {
    const replaced = {
      ...left('PA_1', NOW),
      type: 'left',
      onPurpose: false,
      replaced: true,
    } as const
    const missed = connected({ absentSince: NOW - 1_000 })
    expect(afterAll(missed, replaced)).toEqual(connected({ checkAt: NOW + 2_000, replacedAt: NOW }))
    const soon = connected({ restartAt: NOW + 1_000 })
    expect(afterAll(soon, replaced)).toEqual({ ...soon, checkAt: NOW + 500, replacedAt: NOW })
  })

  test('without an ID only causes a presence check, whatever its time', () => {
    for (const happenedBy of [MINUTE_AGO, NOW + 999, NOW + 60_000]) {
      const checked = connected({ checkAt: NOW })
      expect(afterAll(connected(), left(undefined, happenedBy))).toEqual(checked)
      expect(afterAll(connected(), roomFinished(happenedBy))).toEqual(checked)
    }
  })

  test('without ID and time only causes a presence check', () => {
    expect(afterAll(connected(), left(undefined))).toEqual(connected({ checkAt: NOW }))
    expect(afterAll(connected(), roomFinished())).toEqual(connected({ checkAt: NOW }))
  })
})

describe('a report from the future', () => {
  const ahead = NOW + 5_000

  test('of an earlier connection does not replace the present one for good', () => {
    const next = afterAll(connected(), left('PA_0', ahead), roomFinished(ahead))
    expect(next).toEqual(connected({ checkAt: NOW + 1 }))
  })

  test('does not end a wait that began after the connection', () => {
    const old = { ...left('PA_0', ahead + 999), connectedBy: NOW - 2_000 + 5_000 }
    expect(afterAll(waiting({ acceptedAt: NOW - 1_000 }), old)).toMatchObject({
      state: 'waiting',
      checkAt: NOW,
    })
  })
})

describe('a connection that is replayed together with its end', () => {
  test('does not replace the present one', () => {
    const next = afterAll(connected(), joined('PA_0', MINUTE_AGO), left('PA_0', MINUTE_AGO))
    expect(next).toEqual(connected({ checkAt: NOW + 1 }))
  })

  test('does not replace the one that replaced it', () => {
    const next = afterAll(
      connected(),
      joined('PA_2', NOW + 999),
      joined('PA_1', NOW - 4_001),
      left('PA_1', NOW - 4_001),
    )
    expect(next).toMatchObject({ state: 'connected', participantId: 'PA_2' })
  })

  test('stops a leave only with a presence check at once', () => {
    const next = afterAll(leaving(), joined('PA_0', MINUTE_AGO))
    expect(next).toMatchObject({ state: 'connected', checkAt: NOW })
  })
})

describe('a participant who connects again', () => {
  test('has not left when the end of the earlier connection is reported late', () => {
    const next = afterAll(connected(), joined('PA_2', NOW + 999), left('PA_1', NOW + 999))
    expect(next).toMatchObject({ state: 'connected', participantId: 'PA_2' })
  })

  test('has not left when the reports arrive in the other order', () => {
    const next = afterAll(connected(), left('PA_1', NOW + 999), joined('PA_2', NOW + 999))
    expect(next).toMatchObject({ state: 'connected', participantId: 'PA_2', restartAt: NOW + 1 })
  })

  test('keeps the deadline of the homeserver', () => {
    const next = afterAll(leaving({ deadlineAt: NOW + 7 }), joined('PA_2'))
    expect(next).toMatchObject({ state: 'connected', deadlineAt: NOW + 7 })
  })
})

describe('a report that comes twice', () => {
  test('of a connection changes nothing', () => {
    const once = afterAll(waiting(), joined('PA_1', NOW))
    expect(once?.state).toBe('connected')
    expect(afterAll(waiting(), joined('PA_1', NOW), joined('PA_1', NOW))).toEqual(
      once as Delegation,
    )
  })

  test('of a departure changes nothing', () => {
    const once = afterAll(connected(), left('PA_1', NOW))
    expect(afterAll(connected(), left('PA_1', NOW), left('PA_1', NOW))).toEqual(once as Delegation)
  })

  test('of an ended connection does not bring it back', () => {
    expect(afterAll(leaving(), joined('PA_1', NOW))).toEqual(leaving())
  })
})

describe('while waiting, what happened before the delegation was accepted', () => {
  const before = NOW - 10_001

  test('does not connect, but causes a presence check', () => {
    expect(afterAll(waiting(), joined('PA_0', before))).toEqual(waiting({ checkAt: NOW }))
  })

  test('does not send the leave', () => {
    expect(afterAll(waiting(), left('PA_0', before))).toEqual(waiting({ checkAt: NOW }))
    expect(afterAll(waiting(), roomFinished(before))).toEqual(waiting({ checkAt: NOW }))
  })

  test('does not end the delegation', () => {
    expect(afterAll(waiting(), aborted('PA_0', before))).toEqual(waiting({ checkAt: NOW }))
  })
})

test('losing the connection while waiting does not send the leave', () => {
  const { participantId, happenedBy, cause } = left('PA_1', NOW)
  const lost = {
    type: 'left',
    participantId,
    happenedBy,
    cause,
    onPurpose: false,
    replaced: false,
  } as const
  expect(afterAll(waiting(), lost)).toEqual(waiting())
})
