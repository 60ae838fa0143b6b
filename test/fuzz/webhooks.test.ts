import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { DisconnectReason, WebhookEvent } from '@livekit/protocol'
import * as fc from 'fast-check'
import { readWebhook, type Webhook } from '../../src/livekit/webhook.ts'
import { webhookReport } from '../../src/routes/sfu-webhook.ts'
import { forAll } from './for-all.ts'
import { anyJson, nearly, nearlyObject, someText } from './values.ts'

function read(body: string | Uint8Array): Webhook | undefined {
  return readWebhook(Buffer.from(body), createHash('sha256').update(body).digest('base64'))
}

const events = fc.constantFrom(
  'participant_joined',
  'participant_left',
  'participant_connection_aborted',
  'room_finished',
  'track_published',
)
const reasons = Object.values(DisconnectReason).filter((value) => typeof value === 'number')
const seconds = fc.integer({ min: 1, max: 4_102_444_800 })

const sent = fc.record({
  event: events,
  room: someText,
  identity: someText,
  sid: someText,
  joinedAtMs: seconds.map((at) => at * 1000 + 7),
  createdAt: seconds,
  reason: fc.constantFrom(...reasons),
})

test('a webhook is read as the SFU has written it', async () => {
  await forAll(sent, ({ event, room, identity, sid, joinedAtMs, createdAt, reason }) => {
    const webhook = new WebhookEvent({
      event,
      room: { name: room },
      participant: {
        identity,
        sid,
        joinedAtMs: BigInt(joinedAtMs),
        disconnectReason: reason,
      },
      createdAt: BigInt(createdAt),
    })
    expect(read(webhook.toJsonString())).toEqual({
      event,
      room,
      identity,
      participantId: sid,
      connectedBy: joinedAtMs,
      disconnectReason: reason === 0 ? undefined : DisconnectReason[reason],
      createdAt,
    })
  })
})

const integers = fc.oneof(
  fc.integer(),
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
)

const document = nearlyObject({
  event: fc.oneof(events, someText),
  room: nearlyObject({ name: someText }),
  participant: nearlyObject({
    identity: someText,
    sid: someText,
    joinedAt: integers,
    joinedAtMs: integers,
    disconnectReason: fc.oneof(fc.constantFrom('CLIENT_INITIATED', 'NO_SUCH'), fc.integer()),
  }),
  createdAt: integers,
})

/** Whatever is read makes sense, and so does what is reported of it. */
function expectSense(webhook: Webhook | undefined): void {
  if (webhook === undefined) return
  expect(webhook.event).not.toBe('')
  for (const time of [webhook.createdAt, webhook.connectedBy]) {
    if (time !== undefined) expect(time).toBeFinite()
  }
  const report = webhookReport(webhook)
  if (report === undefined) return
  expect(report.room).toBe(webhook.room ?? expect.unreachable())
  expect(report.room.isWellFormed()).toBe(true)
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
}

test('signed JSON of any kind is read or ignored', async () => {
  const texts = fc.oneof(document, anyJson).map((value) => JSON.stringify(value) ?? '')
  await forAll(nearly(texts), (text) => expectSense(read(text)))
})

test('signed bytes of any kind are read or ignored', async () => {
  await forAll(fc.uint8Array(), (bytes) => expectSense(read(bytes)))
})

test('a body that another digest was signed for is forged, whatever it is', async () => {
  await forAll(fc.tuple(fc.uint8Array(), nearly(fc.base64String())), ([body, digest]) => {
    expect(() => readWebhook(body, digest)).toThrow('the body is not the signed one')
  })
})
