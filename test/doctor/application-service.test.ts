import { afterAll, beforeAll, expect, test } from 'bun:test'
import { STEPS } from '../../src/commands/doctor/report.ts'
import type { Homeserver } from '../support/homeserver.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { type DoctorStage, SERVER_NAME, setDoctorStage } from './stage.ts'

let stage: DoctorStage
beforeAll(async () => {
  stage = await setDoctorStage()
})
afterAll(() => stage.close())

const WHOAMI = '/_matrix/client/v3/account/whoami'
const IS_JOINED = '/_matrix/client/unstable/io.element.msc4502/*'
const PROXIED = '/_matrix/client/unstable/io.element.msc4195/rtc/livekit/get_token'
const AS_TOKEN = 'an-as-token-of-more-than-32-characters'

const ENV = {
  LIVEKIT_AS_TOKEN: AS_TOKEN,
  LIVEKIT_HS_TOKEN: 'an-hs-token-of-more-than-32-characters',
  LIVEKIT_HS_SERVER_NAME: SERVER_NAME,
}

const UNRECOGNIZED = reply(404, { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' })
const UNKNOWN_TOKEN = reply(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'Unknown token' })

/** A homeserver that lets its application service do all that it needs, but for one path. */
function examineWith(path = '', answer: Answer = UNRECOGNIZED) {
  return stage.examine({
    args: [],
    env: ENV,
    homeserver({ respond }: Homeserver) {
      respond(WHOAMI, ({ headers }) => {
        if (headers.get('authorization') !== `Bearer ${AS_TOKEN}`) return UNKNOWN_TOKEN
        return reply(200, { user_id: `@jwt-service:${SERVER_NAME}` })
      })
      respond(IS_JOINED, reply(200, { joined: false }))
      respond(PROXIED, reply(400, { errcode: 'M_BAD_JSON', error: 'The field "url" is missing.' }))
      if (path !== '') respond(path, answer)
    },
  })
}

test('looks at our homeserver without being told its name', async () => {
  const { codes, findings, text } = await examineWith()
  expect(codes).toEqual([])
  expect(findings.filter(({ step }) => step === 'homeserver').map(({ found }) => found)).toEqual([
    `it knows the as_token, as that of @jwt-service:${SERVER_NAME}`,
    'it tells the service who is in a room',
    'it passes requests of clients on to the service, with the right hs_token',
  ])
  expect(text).not.toContain(AS_TOKEN)
})

test('looks at every step in the order that it tells of', async () => {
  const { findings } = await examineWith()
  expect([...new Set(findings.map(({ step }) => step))]).toEqual([...STEPS])
})

const MISSING_SCOPE = reply(403, { errcode: 'M_FORBIDDEN', error: 'no scope' })

test.each([
  ['does not know the as_token', 'homeserver.as-token-refused', WHOAMI, UNKNOWN_TOKEN],
  [
    'has another server name',
    'homeserver.other-server-name',
    WHOAMI,
    reply(200, { user_id: '@jwt-service:other.test' }),
  ],
  ['gives no scope for membership', 'homeserver.refused', IS_JOINED, MISSING_SCOPE],
  ['does not know who is in a room', 'homeserver.unsupported', IS_JOINED, UNRECOGNIZED],
  ['passes nothing on', 'homeserver.no-proxy', PROXIED, UNRECOGNIZED],
  ['shows another hs_token', 'homeserver.hs-token-unknown', PROXIED, UNKNOWN_TOKEN],
  [
    'cannot reach the service',
    'homeserver.proxy-cannot-reach',
    PROXIED,
    reply(502, { errcode: 'M_UNKNOWN', error: 'Bad gateway' }),
  ],
] as const)('finds a homeserver that %s, as %s alone', async (_, code, path, answer) => {
  const { codes, exitCode } = await examineWith(path, answer)
  expect(codes).toEqual([code])
  expect(exitCode).toBe(1)
})
