import { expect, test } from 'bun:test'
import type { WebhookReport } from '../../src/delegation/delegations.ts'
import type { Webhook } from '../../src/livekit/webhook.ts'
import { webhookReport } from '../../src/routes/sfu-webhook.ts'

const WEBHOOK: Webhook = {
  event: 'participant_joined',
  room: 'room',
  identity: 'identity',
  participantId: 'PA_1',
  disconnectReason: undefined,
  createdAt: 1_767_323_045,
}

/** The SFU tells whole seconds: it happened by the end of that one. */
const HAPPENED = { participantId: 'PA_1', happenedBy: 1_767_323_045_999 }

const PARTICIPANT = { room: 'room', identity: 'identity' }

test.each<[string, Partial<Webhook>, WebhookReport]>([
  [
    'participant_joined',
    {},
    { ...PARTICIPANT, signal: { type: 'joined', cause: 'participant_joined', ...HAPPENED } },
  ],
  [
    'participant_left without a reason',
    { event: 'participant_left' },
    {
      ...PARTICIPANT,
      signal: {
        type: 'left',
        onPurpose: false,
        replaced: false,
        cause: 'participant_left',
        ...HAPPENED,
      },
    },
  ],
  [
    'participant_connection_aborted',
    { event: 'participant_connection_aborted', disconnectReason: 'JOIN_FAILURE' },
    {
      ...PARTICIPANT,
      signal: {
        type: 'aborted',
        onPurpose: false,
        replaced: false,
        cause: 'participant_connection_aborted (JOIN_FAILURE)',
        ...HAPPENED,
      },
    },
  ],
  [
    'room_finished',
    { event: 'room_finished', identity: undefined, participantId: undefined },
    {
      room: 'room',
      identity: undefined,
      signal: {
        type: 'room-finished',
        cause: 'room_finished',
        participantId: undefined,
        happenedBy: 1_767_323_045_999,
      },
    },
  ],
  [
    'a webhook that tells neither connection nor time',
    { participantId: undefined, createdAt: undefined },
    {
      ...PARTICIPANT,
      signal: {
        type: 'joined',
        cause: 'participant_joined',
        participantId: undefined,
        happenedBy: undefined,
      },
    },
  ],
])('reports %s', (_what, fields, report) => {
  expect(webhookReport({ ...WEBHOOK, ...fields })).toEqual(report)
})

test.each([
  ['CLIENT_INITIATED', true, false],
  ['DUPLICATE_IDENTITY', false, true],
  ['MIGRATION', false, true],
  ['SERVER_SHUTDOWN', false, false],
  ['PARTICIPANT_REMOVED', false, false],
  ['ROOM_DELETED', false, false],
  ['STATE_MISMATCH', false, false],
  ['JOIN_FAILURE', false, false],
  ['SIGNAL_CLOSE', false, false],
  ['ROOM_CLOSED', false, false],
  ['CONNECTION_TIMEOUT', false, false],
  ['UNKNOWN_REASON', false, false],
  ['A_REASON_OF_THE_FUTURE', false, false],
  ['client_initiated', false, false],
])('participant_left (%s) is on purpose: %p, replaced: %p', (reason, onPurpose, replaced) => {
  const webhook = { ...WEBHOOK, event: 'participant_left', disconnectReason: reason }
  expect(webhookReport(webhook)).toEqual({
    ...PARTICIPANT,
    signal: {
      type: 'left',
      onPurpose,
      replaced,
      cause: `participant_left (${reason})`,
      ...HAPPENED,
    },
  })
})

test.each([
  'room_started',
  'track_published',
  'track_unpublished',
  'egress_ended',
  'ingress_started',
  '',
  'PARTICIPANT_LEFT',
])('reports nothing of %p', (event) => {
  expect(webhookReport({ ...WEBHOOK, event })).toBeUndefined()
})

test.each(['participant_joined', 'participant_left', 'participant_connection_aborted'])(
  'reports nothing of %s without a participant or without a room',
  (event) => {
    expect(webhookReport({ ...WEBHOOK, event, identity: undefined })).toBeUndefined()
    expect(webhookReport({ ...WEBHOOK, event, room: undefined })).toBeUndefined()
  },
)

test('reports nothing of room_finished without a room', () => {
  const webhook = { ...WEBHOOK, event: 'room_finished', room: undefined }
  expect(webhookReport(webhook)).toBeUndefined()
})

test('takes room_finished for everybody, whomever it names', () => {
  const report = webhookReport({ ...WEBHOOK, event: 'room_finished' })
  expect(report?.identity).toBeUndefined()
})
