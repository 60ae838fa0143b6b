import { expect, test } from 'bun:test'
import { identityOf, LEGACY_SLOT_ID, liveKitRoom } from '../../src/livekit/names.ts'
import { startTestApp } from '../support/app.ts'
import { startMemberStage } from '../support/member-stage.ts'

/** One line of the tables of names that are on the page. */
interface NameOnPage {
  readonly name: string
  readonly madeOf: string
  /** JSON, as it is on the page. */
  readonly parts: string
  readonly result: string
}

async function namesOnPage(url: string): Promise<NameOnPage[]> {
  const document = (await (await fetch(`${url}/swagger/json`)).json()) as {
    readonly info: { readonly description: string }
  }
  const lines = document.info.description.matchAll(
    /^\| (.+?) +\| (.+?) +\| `(\[".+?\])` +\| `(.+?)` +\|$/gm,
  )
  return [...lines].map(([, name = '', madeOf = '', parts = '', result = '']) => {
    return { name, madeOf, parts, result }
  })
}

/** How the service itself makes the names, by what the page says that they are made of. */
const MAKERS: Readonly<Record<string, (...parts: string[]) => string>> = {
  '`hash([room_id, slot_id])`': liveKitRoom,
  '`hash([room, "m.call#ROOM"])`': (room = '') => liveKitRoom(room, LEGACY_SLOT_ID),
  '`hash([user_id, claimed_device_id, member.id])`': (userId = '', deviceId = '', memberId = '') =>
    identityOf(userId, { form: 'member', deviceId, memberId }),
  '`user_id:device_id`, not hashed': (userId = '', deviceId = '') =>
    identityOf(userId, { form: 'legacy', deviceId }),
  '`user_id:`, not hashed': (userId = '') => identityOf(userId, { form: 'legacy', deviceId: '' }),
  '`hash([user_id, member_id])`': (userId = '', memberId = '') =>
    identityOf(userId, { form: 'vouched', memberId }),
}

function madeByService({ madeOf, parts }: NameOnPage): string | undefined {
  return MAKERS[madeOf]?.(...(JSON.parse(parts) as string[]))
}

const STANDALONE_NAMES = [
  [
    'LiveKit room',
    '["!roomid:example.com","slot1234"]',
    'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc',
  ],
  [
    'LiveKit room',
    '["!roomid:example.com","m.call#ROOM"]',
    'F4oOprKFBq6JHqy2qYpq6UQQmR7hCvxkQQoUrd0+SbI',
  ],
  [
    'LiveKit room, body with `room`',
    '["!room:example.com","m.call#ROOM"]',
    'krj2dgxw2K6EOm9he4GfQJ6JsSVWfJ8a7BkyjZcSmxs',
  ],
  [
    'identity',
    '["@alice:example.com","DEVICE123","memberABC"]',
    'J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU',
  ],
  [
    'identity, with letters that must not be escaped',
    '["@zoë:example.com","A<&>B","\\"C\\\\"]',
    'CkwjDLlejLdCLVkf1w0QU8EATdfPGR84Qu5WP5VNUVs',
  ],
  [
    'identity, body with `room`',
    '["@alice:example.com","DEVICE123"]',
    '@alice:example.com:DEVICE123',
  ],
  [
    'identity, body with `room` and no `device_id`',
    '["@alice:example.com",""]',
    '@alice:example.com:',
  ],
]

test('the page has the names that clients derive, as the service makes them', async () => {
  await using app = await startTestApp()
  const names = await namesOnPage(app.url)
  expect(names.map(({ name, parts, result }) => [name, parts, result])).toEqual(STANDALONE_NAMES)
  for (const name of names) expect(madeByService(name)).toBe(name.result)
})

test('the page has the identity of application-service mode too, where that is on', async () => {
  await using stage = await startMemberStage()
  const names = await namesOnPage(stage.app.url)
  expect(names).toHaveLength(STANDALONE_NAMES.length + 1)
  const [last] = names.slice(-1)
  expect(last).toEqual({
    name: 'identity, through the homeserver',
    madeOf: '`hash([user_id, member_id])`',
    parts: '["@alice:example.com","memberABC"]',
    result: 'M3VnsLXrkbxIDINXO64u8PZzFyD9ZYFiQULR2dshWYs',
  })
  expect(last && madeByService(last)).toBe(last?.result)
})
