import { afterAll, beforeAll, expect, test } from 'bun:test'
import { jsonText, textOutput } from '../../src/commands/doctor/output.ts'
import { createReport } from '../../src/commands/doctor/report.ts'
import { reply } from '../support/misbehaviour.ts'
import { type DoctorStage, SERVER_NAME, setDoctorStage } from './stage.ts'

let stage: DoctorStage
beforeAll(async () => {
  stage = await setDoctorStage()
})
afterAll(() => stage.close())

const ANY_ORIGIN = { 'access-control-allow-origin': '*' }
/** Clears the screen in one byte of C1, and turns the direction of writing. */
const OBEYED = '\u009b2J\u202e'

function wellKnown(port: number, serviceUrl: string) {
  const foci = [{ type: 'livekit', livekit_service_url: serviceUrl }]
  const base = `https://${SERVER_NAME}:${port}`
  const document = { 'm.homeserver': { base_url: base }, 'org.matrix.msc4143.rtc_foci': foci }
  return reply(200, document, ANY_ORIGIN)
}

test('writes nothing that a terminal obeys into JSON, and no more than a line of a long URL', async () => {
  const { text, findings, codes } = await stage.examine({
    homeserver({ respond, port }) {
      const server = { name: `Synapse${OBEYED}`, version: '1' }
      respond('/_matrix/federation/v1/version', reply(200, { server }))
      const url = `https://nowhere.test/${OBEYED}${'x'.repeat(40_000)}`
      respond('/.well-known/matrix/client', wellKnown(port, url))
    },
  })
  expect(codes).toEqual(['transports.unreachable'])
  expect(text).not.toMatch(/[\u007f-\u009f\u202e]/)
  expect(findings.find(({ step }) => step === 'federation')?.found).toBe(
    `Synapse${OBEYED} 1 answers`,
  )
  expect(Math.max(...findings.map(({ found }) => found.length))).toBe(1_000)
})

test.each([
  ['at its beginning', 'real-token-1234 and more'],
  ['across the place where it is cut', `wss://${'x'.repeat(85)}real-token-1234`],
])('shows no token that a service repeats %s', async (_, url) => {
  const { text, codes } = await stage.examine({
    args: ['--user', `@alice:${SERVER_NAME}`, '--token', 'real-token-1234'],
    homeserver({ respond }) {
      const refused = reply(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'no' })
      const accepted = reply(200, { sub: `@alice:${SERVER_NAME}` })
      respond('/_matrix/federation/v1/openid/userinfo', refused, accepted)
      respond('/jwt/get_token', reply(200, { url, jwt: 'a.b.c' }))
    },
  })
  expect(codes).toEqual(['transports.elsewhere'])
  expect(text).not.toContain('real-toke')
})

test('stays JSON whatever the texts hold', () => {
  const found = 'a"\\\n\u0000\u2028\ud800\u{e0041}'
  const text = jsonText([{ step: 'sfu', level: 'ok', found }], '1')
  expect(JSON.parse(text).findings).toEqual([{ step: 'sfu', level: 'ok', found }])
  expect(text).not.toMatch(/[\u2028\u{e0041}]/u)
})

test('says what it looks at in one line, with nothing that a terminal obeys', () => {
  const written: string[] = []
  const write = (text: string) => void written.push(text)
  const { progress } = createReport(textOutput({ out: write, err: write }, true))
  progress(`the service at https://a.test/\u001b]0;title\u0007\n${'x'.repeat(500)}`)
  expect(written).toEqual([
    `\r\u001b[K... the service at https://a.test/\\u{1b}]0;title\\u{7}\\u{a}${'x'.repeat(16)}`,
  ])
})
