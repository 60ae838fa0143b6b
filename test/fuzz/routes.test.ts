import { afterAll, beforeAll, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { MEMBER_PATHS, type MemberStage, startMemberStage } from '../support/member-stage.ts'
import { type ServiceStage, startServiceStage } from '../support/service-stage.ts'
import { forAll } from './for-all.ts'
import { anyJson, anyText, nearly, nearlyObject, someText } from './values.ts'

/** Of the usual number of values: each takes a request, and most one to the homeserver as well. */
const SHARE = 0.5
const QUICK_MS = 2_000

let open: ServiceStage
let members: MemberStage

beforeAll(async () => {
  open = await startServiceStage()
  members = await startMemberStage()
  members.api.join('!room:example.com', '@alice:example.com')
})
afterAll(() => Promise.all([open.close(), members.close()]))

/** Texts that are of the kind that a field wants, or anything at all. */
function textLike(...texts: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...texts) },
    nearly(fc.constantFrom(...texts)),
  )
}

/** No name that would be looked up in the DNS. */
const serverName = fc.constantFrom('example.com', '127.0.0.1', '[::1]:1', 'not a name', '', 'a..b')
const delay = {
  delay_id: textLike('delay-1', '..', '.'),
  delay_timeout: fc.oneof(fc.integer(), fc.double()),
}
const openMember = nearlyObject({
  id: textLike('member'),
  claimed_user_id: textLike('@alice:example.com'),
  claimed_device_id: textLike('DEVICE'),
})

function withToken(shape: Readonly<Record<string, fc.Arbitrary<unknown>>>) {
  const token = fc.tuple(fc.boolean(), someText).map(([isValid, text]) => {
    return isValid ? open.openIdToken().access_token : text
  })
  const openid_token = nearlyObject({ access_token: token, token_type: anyJson }).chain((rest) => {
    return serverName.map((matrix_server_name) => ({ ...rest, matrix_server_name }))
  })
  return nearlyObject({ ...shape }).chain((rest) =>
    openid_token.map((each) => ({ ...rest, openid_token: each })),
  )
}

const memberFields = { slot_id: textLike('m.call#ROOM'), member: openMember, ...delay }
const openBodies = {
  '/get_token': withToken({ room_id: textLike('!room:example.com'), ...memberFields }),
  '/sfu/get': withToken({
    room: textLike('!room:example.com'),
    device_id: textLike('DEVICE'),
    ...delay,
  }),
  '/delegate_delayed_leave': withToken({ room_id: textLike('!room:example.com'), ...memberFields }),
}

/** A body as text: JSON, sometimes with a character or two changed, sometimes something else. */
function written(bodies: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const texts = (values: fc.Arbitrary<unknown>) =>
    values.map((value) => JSON.stringify(value) ?? '')
  return fc.oneof(
    { weight: 8, arbitrary: texts(bodies) },
    { weight: 2, arbitrary: nearly(texts(bodies)) },
    { weight: 1, arbitrary: texts(anyJson) },
    { weight: 1, arbitrary: anyText },
  )
}

/** Whatever is sent, the answer is a success or a Matrix error, soon, and never an internal error. */
async function expectSense(sent: Promise<Response>, statuses: Map<number, number>): Promise<void> {
  const start = performance.now()
  const response = await sent
  expect(performance.now() - start).toBeLessThan(QUICK_MS)
  const { status } = response
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  const body = await response.json()
  expect({ status, body, isFailure: status >= 500 }).toMatchObject({ isFailure: false })
  if (status === 200) return
  expect(body).toMatchObject({ errcode: expect.stringMatching(/^M_/), error: expect.any(String) })
}

test.each(Object.entries(openBodies))('%s has an answer to every body', async (path, bodies) => {
  const statuses = new Map<number, number>()
  const types = fc.constantFrom(
    'application/json',
    'text/plain',
    'multipart/form-data',
    'a/b; charset=x',
  )
  await forAll(
    fc.tuple(written(bodies), types),
    async ([body, type]) => {
      const init = { method: 'POST', body, headers: { 'content-type': type } }
      await expectSense(fetch(open.app.url + path, init), statuses)
    },
    SHARE,
  )
  // The values must reach beyond the schema.
  expect(statuses.get(200) ?? 0).toBeGreaterThan(0)
  expect(statuses.get(400) ?? 0).toBeGreaterThan(0)
})

function memberShape() {
  return {
    url: fc.constant(members.sfu.wsUrl),
    room_id: textLike('!room:example.com', '..'),
    slot_id: textLike('m.call#ROOM'),
    member_id: textLike('member'),
    server_name: fc.constantFrom('example.com', 'not a name', null, undefined),
    user_id: textLike('@alice:example.com'),
    delay_id: textLike('delay-1', '..'),
  }
}

/** What fits into a header. */
const header = (texts: fc.Arbitrary<string>) =>
  texts.map((text) => text.replace(/[^\x20-\xff]|\x7f/g, ''))
const callers = header(textLike('@alice:example.com'))
const origins = header(textLike('example.com'))

test.each([MEMBER_PATHS.token, MEMBER_PATHS.leave])(
  '%s has an answer to every body',
  async (path) => {
    const statuses = new Map<number, number>()
    const bodies = fc.oneof(nearlyObject(memberShape()), anyJson)
    await forAll(
      fc.tuple(bodies, callers),
      ([body, caller]) => expectSense(members.callFor(caller, path, body), statuses),
      SHARE,
    )
    expect(statuses.get(400) ?? 0).toBeGreaterThan(0)
  },
)

test(`${MEMBER_PATHS.federatedToken} has an answer to every body`, async () => {
  const statuses = new Map<number, number>()
  const bodies = fc.oneof(nearlyObject(memberShape()), anyJson)
  await forAll(
    fc.tuple(bodies, origins),
    ([body, origin]) =>
      expectSense(members.callFrom(origin, MEMBER_PATHS.federatedToken, body), statuses),
    SHARE,
  )
  expect(statuses.get(200) ?? 0).toBeGreaterThan(0)
})
