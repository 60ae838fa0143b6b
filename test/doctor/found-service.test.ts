import { afterAll, beforeAll, expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import {
  type Arrangement,
  type DoctorStage,
  type Examination,
  SERVER_NAME,
  setDoctorStage,
} from './stage.ts'

let stage: DoctorStage
beforeAll(async () => {
  stage = await setDoctorStage()
})
afterAll(() => stage.close())

const ANY_ORIGIN = { 'access-control-allow-origin': '*' }
const USER = `@alice:${SERVER_NAME}`
const WITH_TOKEN = ['--user', USER, '--token', 'real-token']
const USERINFO = '/_matrix/federation/v1/openid/userinfo'
const UNKNOWN_TOKEN = reply(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'Unknown token' })
const NO_ROOM = reply(500, { errcode: 'M_UNKNOWN', error: 'Unable to create room on SFU' })

/** A homeserver that knows the token, and whose clients find a service that answers so. */
function answering(answer: Answer, args: readonly string[] = [SERVER_NAME]): Arrangement {
  return {
    args,
    homeserver({ respond }) {
      if (args === WITH_TOKEN) respond(USERINFO, UNKNOWN_TOKEN, reply(200, { sub: USER }))
      respond('/jwt/get_token', answer)
    },
  }
}

function transportsOf({ findings }: Examination) {
  return findings.filter(({ step }) => step === 'transports')
}

test.each([
  ['502 of a proxy', 'transports.unavailable', reply(502, '<html>Bad Gateway')],
  [
    '429',
    'transports.unavailable',
    reply(429, { errcode: 'M_LIMIT_EXCEEDED', error: 'Too many requests.' }),
  ],
  ['404', 'transports.elsewhere', reply(404, 'not found')],
  ['403 of a proxy', 'transports.elsewhere', reply(403, 'forbidden')],
] as const)('takes %s for %s, and shows the URL that was asked', async (_, code, answer) => {
  const examination = await stage.examine(answering(answer))
  expect(examination.codes).toEqual([code])
  expect(transportsOf(examination)[0]?.found).toMatch(
    new RegExp(
      `^status ${answer.status}(, M_[A-Z_]+)?, for https://example\\.test:\\d+/jwt/get_token from `,
    ),
  )
})

test('tells a service that cannot be reached through its proxy from another one', async () => {
  const examination = await stage.examine(answering(reply(502)))
  const [{ sentence = '', remedy } = {}] = transportsOf(examination)
  expect(sentence).not.toContain('another')
  expect(remedy).toContain('the proxy at "livekit_service_url"')
})

test.each(['http://example.test/jwt', 'wss://sfu.example.test', 'https://', 'jwt.example.test'])(
  'shows the URL %s, which is no https URL',
  async (url) => {
    const examination = await stage.examine({
      homeserver({ respond, port }) {
        const document = {
          'm.homeserver': { base_url: `https://${SERVER_NAME}:${port}` },
          'org.matrix.msc4143.rtc_foci': [{ type: 'livekit', livekit_service_url: url }],
        }
        respond('/.well-known/matrix/client', reply(200, document, ANY_ORIGIN))
      },
    })
    expect(examination.codes).toEqual(['transports.bad-url'])
    expect(transportsOf(examination)[0]?.found).toBe(`"livekit_service_url" is "${url}"`)
  },
)

test('finds a service that refuses a token that the homeserver knows', async () => {
  const refused = reply(401, { errcode: 'M_UNAUTHORIZED', error: 'no' })
  const { codes, text } = await stage.examine(answering(refused, WITH_TOKEN))
  expect(codes).toEqual(['transports.token-refused'])
  expect(text).not.toContain('real-token')
})

test('finds a service that makes no room, while the SFU is well from here', async () => {
  const { codes } = await stage.examine(answering(NO_ROOM, WITH_TOKEN))
  expect(codes).toEqual(['transports.unavailable'])
})

test('says once that the SFU is away, though the service that clients find lacks it too', async () => {
  const closed = `ws://127.0.0.1:${await findClosedPort()}`
  const examination = await stage.examine({
    ...answering(NO_ROOM, WITH_TOKEN),
    env: { LIVEKIT_URL: closed },
  })
  expect(examination.codes).toEqual(['sfu.refused'])
  expect(transportsOf(examination)).toMatchObject([{ level: 'skipped' }])
})
