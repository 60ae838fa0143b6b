import { afterAll, beforeAll, expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import { reply } from '../support/misbehaviour.ts'
import { type DoctorStage, type Examination, SERVER_NAME, setDoctorStage } from './stage.ts'

let stage: DoctorStage
beforeAll(async () => {
  stage = await setDoctorStage()
})
afterAll(() => stage.close())

const ANY_ORIGIN = { 'access-control-allow-origin': '*' }
const CLIENT = '/.well-known/matrix/client'
const SERVER = '/.well-known/matrix/server'
const HTML = reply(200, '<!doctype html><title>It works</title>', { 'content-type': 'text/html' })

function theProblem({ findings }: Examination) {
  return findings.find(({ code }) => code !== undefined)
}

test.each([
  ['a page', HTML, 'text/html, no JSON'],
  ['broken JSON', { kind: 'invalid-json' }, 'application/json, no JSON'],
  [
    'a base URL without TLS',
    reply(200, { 'm.homeserver': { base_url: `http://${SERVER_NAME}:8008` } }, ANY_ORIGIN),
    `application/json, "base_url" is "http://${SERVER_NAME}:8008", which is no https URL`,
  ],
] as const)('finds %s as the well-known document of clients', async (_, answer, what) => {
  const examination = await stage.examine({ homeserver: ({ respond }) => respond(CLIENT, answer) })
  expect(examination.codes).toEqual(['client-api.bad-well-known'])
  const problem = theProblem(examination)
  expect(problem?.found).toStartWith(`status 200, for ${CLIENT} from ${SERVER_NAME} at 127.0.0.1`)
  expect(problem?.found).toEndWith(`: ${what}`)
  expect(problem?.remedy).toContain('another virtual host probably answers')
})

/** Serves this as `m.server`, which is followed nowhere. */
async function examineMServer(value: string): Promise<Examination> {
  return stage.examine({
    federationPort: await findClosedPort(),
    homeserver: ({ respond }) => respond(SERVER, reply(200, { 'm.server': value })),
  })
}

test('says what is wrong with a URL as "m.server"', async () => {
  const examination = await examineMServer(`https://${SERVER_NAME}:443`)
  expect(examination.codes).toEqual(['discovery.bad-m-server'])
  const problem = theProblem(examination)
  expect(problem?.found).toStartWith(`status 200, for ${SERVER} from ${SERVER_NAME} at 127.0.0.1`)
  expect(problem?.found).toEndWith(
    `: "m.server" is "https://${SERVER_NAME}:443": a scheme such as "https:" does not belong there`,
  )
  expect(problem?.remedy).not.toContain('virtual host')
})

test('shows the beginning of what else is no server name', async () => {
  const examination = await examineMServer(`${SERVER_NAME}/${'x'.repeat(1_000)}`)
  expect(examination.codes).toEqual(['discovery.bad-m-server'])
  const shown = `${SERVER_NAME}/${'x'.repeat(1_000)}`.slice(0, 200)
  expect(theProblem(examination)?.found).toEndWith(`: "m.server" is "${shown}"`)
})
