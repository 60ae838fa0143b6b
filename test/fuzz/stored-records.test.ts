import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { type Delegation, deadlineOf, dueAt } from '../../src/delegation/life/record.ts'
import { parseDelegation } from '../../src/delegation/store/records.ts'
import { adopt } from '../../src/delegation/store/redis-adoption.ts'
import {
  fieldOf,
  keyOf,
  readEntry,
  toStored,
  toText,
  userEntriesOf,
} from '../../src/delegation/store/redis-records.ts'
import { forAll } from './for-all.ts'
import {
  anyJson,
  moment,
  nearly,
  nearlyObject,
  serverName,
  someText,
  wellFormedText,
} from './values.ts'

const delayMs = fc.integer({ min: 1, max: 30 * 24 * 3_600_000 })
const base = {
  room: someText,
  identity: someText,
  generation: fc.uuid(),
  serverName,
  delayId: someText,
  delayMs,
  acceptedAt: moment,
  deadlineAt: moment,
  failures: fc.nat(100),
}
const more = {
  userId: someText,
  clientApiUrl: fc.webUrl(),
  isVouched: fc.boolean(),
  participantId: someText,
  absentSince: moment,
  replacedAt: moment,
  lookAgain: fc.boolean(),
}
const waiting = { waitUntil: moment, checkAt: moment }
const connected = {
  connectedAt: moment,
  restartAt: moment,
  checkAt: moment,
  checkFailures: fc.nat(9),
}
const leaving = { giveUpAt: moment, sendAt: moment }

const optionalKeys = ['userId', 'clientApiUrl', 'isVouched'] as const
const delegation: fc.Arbitrary<Delegation> = fc.oneof(
  recordOf({ state: fc.constant('waiting'), ...waiting }, ['absentSince']),
  recordOf({ state: fc.constant('connected'), ...connected }, [
    'absentSince',
    'replacedAt',
    'participantId',
  ]),
  recordOf({ state: fc.constant('leaving'), ...leaving }, ['participantId', 'lookAgain']),
)

function recordOf(
  members: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  optional: readonly (keyof typeof more)[],
): fc.Arbitrary<Delegation> {
  const additional = [...optionalKeys, ...optional].map((name) => [name, more[name]] as const)
  const required = { ...base, ...members }
  const all = { ...required, ...Object.fromEntries(additional) }
  return fc.record(all, {
    requiredKeys: Object.keys(required) as [],
  }) as unknown as fc.Arbitrary<Delegation>
}

const damaged = nearlyObject({
  ...base,
  ...more,
  ...waiting,
  ...connected,
  ...leaving,
  state: fc.constantFrom('waiting', 'connected', 'leaving'),
})
const damagedText = nearly(
  fc.oneof(delegation, damaged, anyJson).map((value) => JSON.stringify(value) ?? ''),
)

/** Whatever is read can be worked with: written, indexed, scheduled. */
function expectUsable(read: Delegation): void {
  expect(Number.isFinite(dueAt(read)) && Number.isFinite(deadlineOf(read))).toBe(true)
  expect(parseDelegation(JSON.stringify(read))).toEqual(read)
  const entry = readEntry(toText(read))
  expect(entry).toMatchObject({ kind: 'ours', stored: { text: toText(read) } })
  for (const text of Object.values(userEntriesOf(read))) expect(text.isWellFormed()).toBe(true)
}

test('a delegation is read as it was stored, in SQLite and in Redis', async () => {
  await forAll(delegation, (stored) => {
    expect(parseDelegation(JSON.stringify(stored))).toEqual(stored)
    const text = toText(stored)
    expect(readEntry(text)).toEqual({ kind: 'ours', stored: { delegation: stored, text } })
    expect(toStored(text)).toEqual([{ delegation: stored, text }])
  })
})

test('a damaged record is read as something that can be worked with, or not at all', async () => {
  await forAll(damagedText, (text) => {
    const read = parseDelegation(text)
    if (read !== undefined) expectUsable(read)
  })
})

test('a damaged value of the hash is read as something that can be worked with, or not at all', async () => {
  const values = fc.oneof(
    damagedText,
    delegation.map(toText),
    nearly(delegation.map(toText)),
    fc.tuple(delegation, fc.record({ Params: anyJson })).map(([stored, { Params }]) => {
      return JSON.stringify({ ...JSON.parse(toText(stored)), Params })
    }),
  )
  await forAll(values, (text) => {
    for (const { delegation: read } of toStored(text)) expectUsable(read)
  })
})

test('the field of a participant names that participant', async () => {
  await forAll(fc.record({ room: wellFormedText, identity: wellFormedText }), (key) => {
    expect(keyOf(fieldOf(key))).toEqual(key)
  })
})

test('a field of any kind names a participant, or nobody', async () => {
  const fields = fc.oneof(
    fc.tuple(anyJson, anyJson).map((value) => JSON.stringify(value)),
    fc.tuple(someText, someText).map((value) => JSON.stringify(value)),
    anyJson.map((value) => JSON.stringify(value) ?? ''),
  )
  await forAll(nearly(fields), (field) => {
    const key = keyOf(field)
    if (key !== undefined) expect(keyOf(fieldOf(key))).toEqual(key)
  })
})

const foreign = nearlyObject({
  Params: nearlyObject({
    DelayId: someText,
    DelayTimeout: fc.oneof(
      delayMs.map((ms) => ms * 1e6),
      fc.double({ noNaN: true }),
    ),
    ServerName: serverName,
    LiveKitRoom: someText,
    LiveKitIdentity: someText,
  }),
  RestartedAt: fc.oneof(
    nearly(moment.map((at) => new Date(at).toISOString())),
    fc.constantFrom('0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '+275760-09-13T00:00:00Z'),
  ),
})

test('an entry of lk-jwt-service is adopted as something that can be worked with, or not at all', async () => {
  const entries = fc.oneof({ weight: 5, arbitrary: foreign }, anyJson)
  await forAll(fc.tuple(entries, moment), ([entry, now]) => {
    const adopted = adopt(entry, now, 'g1')
    if (adopted === undefined || adopted === 'expired') return
    expect(adopted.deadlineAt).toBeGreaterThan(now)
    expect(dueAt(adopted)).toBe(now)
    expectUsable(adopted)
  })
})

test('an entry that is switched back and forth keeps what both programs know', async () => {
  // Go's "never" is anything up to 1970.
  const restarted = delegation.filter((each) => each.deadlineAt > each.delayMs)
  await forAll(fc.tuple(restarted, moment), ([stored, now]) => {
    const adopted = adopt(JSON.parse(toText(stored)), now, 'g2')
    if (adopted === undefined) return expect.unreachable()
    expect(adopted === 'expired').toBe(stored.deadlineAt <= now)
    if (adopted === 'expired') return
    const { room, identity, serverName: server, delayId, delayMs: delay, deadlineAt } = stored
    expect(adopted).toMatchObject({
      room,
      identity,
      serverName: server,
      delayId,
      delayMs: delay,
      deadlineAt,
    })
  })
})
