import { afterAll, beforeAll, expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import { startHomeserver } from '../support/homeserver.ts'
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

const VERSIONS = '/_matrix/client/versions'
const CLIENT = '/.well-known/matrix/client'
const HTML = reply(200, '<!doctype html><title>It works</title>', { 'content-type': 'text/html' })

function foundBy({ findings }: Examination, step: string) {
  return findings.filter((finding) => finding.step === step)
}

test.each([
  ['429', 'unavailable', reply(429, { errcode: 'M_LIMIT_EXCEEDED' }), '429, M_LIMIT_EXCEEDED'],
  ['502', 'unavailable', reply(502, '<html>', { 'content-type': 'text/html' }), '502'],
  ['404', 'not-matrix', reply(404, { errcode: 'M_UNRECOGNIZED' }), '404, M_UNRECOGNIZED'],
  ['a page', 'not-matrix', HTML, '200'],
  ['another JSON', 'not-matrix', reply(200, {}), '200'],
] as const)(
  'finds %s for the question for versions, as client-api.%s',
  async (_, code, answer, status) => {
    const examination = await stage.examine({
      homeserver: ({ respond }) => respond(VERSIONS, answer),
    })
    expect(examination.codes).toEqual([`client-api.${code}`])
    const [problem] = foundBy(examination, 'client-api')
    expect(problem?.found).toStartWith(`status ${status}, for ${VERSIONS} from ${SERVER_NAME} at`)
    expect(foundBy(examination, 'delayed-events')).toMatchObject([{ level: 'skipped' }])
  },
)

/** A client API that is found by an override, while the well-known document is answered so. */
async function examineOverridden(answer: Answer, more: Arrangement = {}): Promise<Examination> {
  const inside = await startHomeserver()
  const examination = await stage.examine({
    ...more,
    env: { LIVEKIT_CS_API_URL_OVERRIDES: `${SERVER_NAME}=${inside.url}` },
    homeserver: ({ respond }) => respond(CLIENT, answer),
  })
  await inside.close()
  return examination
}

test.each([
  ['a status', reply(500, 'down'), /^status 500, for \/\.well-known\/matrix\/client from .*: \S+$/],
  ['a page', HTML, /^status 200, for .* from .*: text\/html, no JSON$/],
] as const)(
  'says that clients find %s instead of the well-known document, though an override goes by it',
  async (_, answer, text) => {
    const examination = await examineOverridden(answer)
    expect(examination.codes).toEqual(['transports.well-known-unread'])
    expect(foundBy(examination, 'client-api')).toMatchObject([{ level: 'ok' }])
    const [problem] = foundBy(examination, 'transports')
    expect([problem?.level, problem?.found]).toEqual(['problem', expect.stringMatching(text)])
  },
)

test('warns of a document that this machine gets no answer for', async () => {
  const examination = await examineOverridden({ kind: 'close' })
  expect(examination.codes).toEqual(['transports.well-known-unread'])
  expect(examination.exitCode).toBe(0)
})

test('says that clients find no service where there is no document', async () => {
  const examination = await examineOverridden(reply(404, 'not found'))
  expect(examination.codes).toEqual(['transports.none'])
  expect(foundBy(examination, 'transports')[0]?.found).toStartWith(`status 404, for ${CLIENT} from`)
})

test('names the place of an override of the client API that nothing listens at', async () => {
  const place = `http://127.0.0.1:${await findClosedPort()}`
  const examination = await stage.examine({
    env: { LIVEKIT_CS_API_URL_OVERRIDES: `${SERVER_NAME}=${place}` },
  })
  expect(examination.codes).toEqual(['client-api.refused'])
  const [problem] = foundBy(examination, 'client-api')
  expect(problem?.found).toBe(`${place}: connection refused`)
  expect(problem?.remedy).toContain('in LIVEKIT_CS_API_URL_OVERRIDES if that names it')
})
