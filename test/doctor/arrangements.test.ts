import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { registrationText } from '../../src/commands/registration-text.ts'
import { OTHER_CREDENTIALS } from '../support/credentials.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { reply } from '../support/misbehaviour.ts'
import { type Arrangement, type DoctorStage, SERVER_NAME, setDoctorStage } from './stage.ts'

let stage: DoctorStage
beforeAll(async () => {
  stage = await setDoctorStage()
})
afterAll(() => stage.close())

const HTML = reply(200, '<!doctype html><title>It works</title>', { 'content-type': 'text/html' })
const UNRECOGNIZED = reply(404, { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' })
const USERINFO = '/_matrix/federation/v1/openid/userinfo'
const VERSION = '/_matrix/federation/v1/version'
const NOT_PUBLIC_SERVER = { LIVEKIT_FULL_ACCESS_HOMESERVERS: 'somebody.invalid' }

test('finds nothing where all is well', async () => {
  const { exitCode, findings, codes } = await stage.examine()
  expect(codes).toEqual([])
  expect(exitCode).toBe(0)
  expect(findings.map(({ step, level }) => `${step} ${level}`)).toEqual([
    'configuration ok',
    'sfu ok',
    'signalling ok',
    'access ok',
    'well-known ok',
    'addresses ok',
    'connection ok',
    'federation ok',
    'openid ok',
    'client-api ok',
    'delayed-events ok',
    'transports ok',
    'state ok',
    'service ok',
    'webhooks ok',
  ])
})

/** Each with the one code that it gives, and what of it the remedy must name. */
const ARRANGEMENTS: readonly (readonly [
  name: string,
  code: string,
  remedy: string,
  arrange: () => Promise<Arrangement> | Arrangement,
])[] = [
  [
    'a well-known document of another virtual host',
    'discovery.bad-well-known',
    '{"m.server": "host:port"}',
    async () => ({
      federationPort: await findClosedPort(),
      homeserver(homeserver) {
        homeserver.respond('/.well-known/matrix/*', HTML)
        homeserver.restore('/.well-known/matrix/client')
      },
    }),
  ],
  [
    'a closed federation port while 443 works',
    'federation.only-on-443',
    `{"m.server": "${SERVER_NAME}:443"}`,
    async () => ({ isDelegated: false, federationPort: await findClosedPort() }),
  ],
  [
    'a certificate for another name',
    'federation.certificate-for-another-name',
    'for the server name, or for the host in /.well-known/matrix/server; never for the target of an SRV',
    () => ({ certificate: { dns: ['other.test'] } }),
  ],
  [
    'an expired certificate',
    'federation.certificate-expired',
    'renew it',
    () => ({
      certificate: { dns: [SERVER_NAME], notAfter: new Date(Date.now() - 86_400_000) },
    }),
  ],
  [
    'a private address by split DNS',
    'federation.denied-address',
    'LIVEKIT_FEDERATION_ALLOW_NETWORKS=10.0.0.5',
    () => ({ env: NOT_PUBLIC_SERVER, addresses: ['10.0.0.5'] }),
  ],
  [
    'a homeserver that does not federate',
    'federation.disabled',
    'users of others cannot',
    () => ({ homeserver: ({ respond }) => respond(VERSION, UNRECOGNIZED) }),
  ],
  [
    'a listener without the resource for OpenID',
    'federation.no-openid',
    '"openid"',
    () => ({
      homeserver({ respond }) {
        respond(VERSION, UNRECOGNIZED)
        respond(USERINFO, UNRECOGNIZED)
      },
    }),
  ],
  [
    'a wrong path prefix of the SFU that is 404',
    'sfu.wrong-path',
    'path prefix',
    () => ({ sfu: { pathPrefix: '/livekit/sfu' } }),
  ],
  [
    'a wrong path prefix of the SFU that is 200 and empty',
    'sfu.wrong-path',
    'path prefix',
    () => ({ misbehave: ({ respond }) => respond('ListRooms', reply(200)) }),
  ],
  [
    'a port of the SFU that redirects to TLS',
    'sfu.needs-tls',
    '"wss"',
    () => ({
      misbehave: ({ respond }) => {
        respond('ListRooms', { kind: 'redirect', location: 'https://sfu.test/twirp' })
      },
    }),
  ],
  [
    'a proxy that wants a password for the OpenID endpoint',
    'federation.not-matrix',
    'the proxy must pass /_matrix on',
    () => ({ homeserver: ({ respond }) => respond(USERINFO, reply(401, '<html>')) }),
  ],
  [
    'a wrong API secret',
    'sfu.wrong-credentials',
    'LIVEKIT_SECRET',
    () => ({ env: { LIVEKIT_SECRET: OTHER_CREDENTIALS.apiSecret } }),
  ],
  [
    'a LIVEKIT_URL that only clients reach',
    'sfu.refused',
    'If clients reach LIVEKIT_URL, leave it, and set LIVEKIT_INTERNAL_URL',
    async () => ({ env: { LIVEKIT_URL: `ws://127.0.0.1:${await findClosedPort()}` } }),
  ],
  [
    'webhooks that are not configured',
    'webhook.never-comes',
    '"webhook.urls"',
    () => ({ hasWebhooks: false }),
  ],
  [
    'webhooks that are signed with another secret',
    'webhook.wrong-secret',
    '"webhook.api_key"',
    () => ({ service: { LIVEKIT_SECRET: 'another-secret-of-sufficient-length-0123456789' } }),
  ],
  [
    'a clock that is ten minutes off',
    'sfu.clock-skew',
    'NTP',
    () => ({ sfu: { now: () => Date.now() + 600_000 } }),
  ],
  [
    'a clock of this machine that is ten minutes off',
    'sfu.clock-skew',
    'NTP',
    () => ({
      sfu: { now: () => Date.now() + 600_000 },
      homeserver({ respond }) {
        const date = new Date(Date.now() + 600_000).toUTCString()
        const version = { server: { name: 'Synapse', version: '1.163.2' } }
        respond(VERSION, reply(200, version, { date }))
      },
    }),
  ],
  [
    'a proxy that passes on the API of the SFU, and not its signalling socket',
    'sfu.signalling-unclear',
    '"/rtc"',
    () => ({ sfu: { hasSignalling: false } }),
  ],
  [
    'rooms that are created for anybody',
    'sfu.auto-create-on',
    'auto_create: false',
    () => ({ sfu: { autoCreate: true } }),
  ],
  [
    'a name misspelt in the list of full access',
    'access.name-misspelt',
    SERVER_NAME,
    () => ({
      env: {
        LIVEKIT_FULL_ACCESS_HOMESERVERS: 'exmaple.test',
        LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.1',
      },
    }),
  ],
]

test('finds a registration file of another server, as that alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'test-doctor-'))
  const file = join(folder, 'registration.yaml')
  const tokens = { asToken: 'a'.repeat(43), hsToken: 'h'.repeat(43) }
  const url = 'http://jwt-service:8080'
  await writeFile(file, registrationText({ url, serverName: 'other.test', ...tokens }))
  const { codes, findings, exitCode } = await stage.examine({
    env: { LIVEKIT_AS_REGISTRATION_FILE: file, LIVEKIT_HS_SERVER_NAME: SERVER_NAME },
  })
  await rm(folder, { recursive: true })
  expect(codes).toEqual(['configuration.registration-of-another-server'])
  expect(findings[0]?.remedy).toContain('LIVEKIT_HS_SERVER_NAME')
  expect(exitCode).toBe(1)
})

test.each(ARRANGEMENTS)('finds %s, as %s alone', async (_, code, remedy, arrange) => {
  const { findings, codes, exitCode } = await stage.examine(await arrange())
  expect(codes).toEqual([code])
  const [finding] = findings.filter((each) => each.code !== undefined)
  expect(finding?.remedy).toContain(remedy)
  // Tokens of a homeserver that does not federate can be verified all the same.
  const level = code === 'federation.disabled' ? 'warning' : 'problem'
  expect([finding?.level, exitCode]).toEqual([level, level === 'problem' ? 1 : 0])
})
