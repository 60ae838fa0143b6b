import { afterAll, beforeAll, expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import type { Homeserver } from '../support/homeserver.ts'
import { reply } from '../support/misbehaviour.ts'
import { type DoctorStage, type Examination, SERVER_NAME, setDoctorStage } from './stage.ts'

let stage: DoctorStage
beforeAll(async () => {
  stage = await setDoctorStage()
})
afterAll(() => stage.close())

const VERSION = '/_matrix/federation/v1/version'
const CLIENT = '/.well-known/matrix/client'
const FORBIDDEN = reply(403, '<html>Forbidden', { 'content-type': 'text/html' })
const BAD_GATEWAY = reply(502, '<html>Bad Gateway', { 'content-type': 'text/html' })
const OWN = {
  LIVEKIT_AS_TOKEN: 'an-as-token-of-more-than-32-characters',
  LIVEKIT_HS_TOKEN: 'an-hs-token-of-more-than-32-characters',
  LIVEKIT_HS_SERVER_NAME: SERVER_NAME,
}

function skippedIn({ findings }: Examination): readonly string[] {
  return findings.filter(({ level }) => level === 'skipped').map(({ step }) => step)
}

function overrides(federation: string, clientApi: string) {
  return {
    LIVEKIT_FEDERATION_URL_OVERRIDES: `${SERVER_NAME}=${federation}`,
    LIVEKIT_CS_API_URL_OVERRIDES: `${SERVER_NAME}=${clientApi}`,
  }
}

test('says once that the client API of our homeserver is down', async () => {
  const place = `http://127.0.0.1:${await findClosedPort()}`
  const examination = await stage.examine({
    env: { ...OWN, LIVEKIT_CS_API_URL_OVERRIDES: `${SERVER_NAME}=${place}` },
  })
  expect(examination.codes).toEqual(['client-api.refused'])
  expect(skippedIn(examination)).toEqual(['delayed-events', 'homeserver'])
})

test('does not say that our homeserver announces no SFU when it cannot be asked', async () => {
  const examination = await stage.examine({
    env: OWN,
    homeserver({ respond, port }) {
      const document = { 'm.homeserver': { base_url: `https://${SERVER_NAME}:${port}` } }
      respond(CLIENT, reply(200, document, { 'access-control-allow-origin': '*' }))
      respond('/_matrix/client/*', BAD_GATEWAY)
    },
  })
  expect(examination.codes).toEqual(['client-api.unavailable'])
  expect(skippedIn(examination)).toEqual(['delayed-events', 'transports', 'homeserver'])
})

test('says once that both overrides lead to a homeserver that is stopped', async () => {
  const place = `http://127.0.0.1:${await findClosedPort()}`
  const examination = await stage.examine({ env: overrides(place, place) })
  expect(examination.codes).toEqual(['federation.refused'])
  const clientApi = examination.findings.find(({ step }) => step === 'client-api')
  expect(clientApi?.found).toBe(
    `has the same problem as the federation API: ${place}: connection refused`,
  )
})

test('tells two hosts with the same problem apart', async () => {
  const port = await findClosedPort()
  const { codes } = await stage.examine({
    env: overrides(`http://127.0.0.1:${port}`, `http://localhost:${port}`),
  })
  expect(codes).toEqual(['federation.refused', 'client-api.refused'])
})

/** Answers every request but for those of the service that clients find. */
function everything(answer: typeof FORBIDDEN, others: readonly string[] = []) {
  return ({ respond, restore }: Homeserver) => {
    for (const path of [VERSION, CLIENT]) if (!others.includes(path)) restore(path)
    respond('/*', answer)
  }
}

test.each([
  ['403 to everything', FORBIDDEN, [], 'federation.not-matrix'],
  [
    '403 to all but the well-known document of clients',
    FORBIDDEN,
    [CLIENT],
    'federation.not-matrix',
  ],
  [
    '502 to all but the well-known document of clients',
    BAD_GATEWAY,
    [CLIENT],
    'federation.unavailable',
  ],
] as const)('says once that a proxy answers %s', async (_, answer, others, code) => {
  const examination = await stage.examine({ homeserver: everything(answer, others) })
  expect(examination.codes).toEqual([code])
  expect(skippedIn(examination)).toContain('well-known')
  expect(skippedIn(examination)).toContain('client-api')
})

test('warns of a well-known document that fails, where the homeserver is found without it', async () => {
  const { codes } = await stage.examine({
    homeserver: ({ respond }) => respond('/.well-known/matrix/server', FORBIDDEN),
  })
  expect(codes).toEqual(['discovery.well-known-failed'])
})

test('warns of it too where the homeserver only verifies tokens', async () => {
  const { codes } = await stage.examine({
    homeserver({ respond }) {
      respond('/.well-known/matrix/server', FORBIDDEN)
      respond(VERSION, FORBIDDEN)
    },
  })
  expect(codes.toSorted()).toEqual(['discovery.well-known-failed', 'federation.disabled'])
})
