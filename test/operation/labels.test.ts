import { expect, test } from 'bun:test'
import { isCauseCode } from '../../src/catalogue/catalogue.ts'
import { HS_TOKEN, MEMBER_PATHS } from '../support/member-stage.ts'
import { samplesOf, scrape } from '../support/metrics-text.ts'
import { reply } from '../support/misbehaviour.ts'
import { twirpError } from '../support/sfu.ts'
import { until } from '../support/until.ts'
import { ROOM_ID, startTrafficStage, type TrafficStage } from './traffic-stage.ts'

/** Part of all that comes from outside. */
const MARK = 'intruder'

async function askStrangely({ counted }: TrafficStage): Promise<void> {
  const paths = [`/${MARK}`, `/get_token/${MARK}`, `/swagger/${MARK}`, `/%22${MARK}%0a`, '/metrics']
  for (const path of paths) {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', MARK.toUpperCase()]) {
      await (await fetch(counted.url + path, { method })).text()
    }
  }
  await fetch(`${counted.url}/get_token`, { method: MARK.toUpperCase() })
}

async function claimStrangeServers(stage: TrafficStage): Promise<void> {
  for (const name of [`${MARK}.invalid`, `${MARK}"\n`, `127.0.0.1`, MARK.repeat(50), '[::1]:1']) {
    await stage.exchange({ openid_token: { access_token: MARK, matrix_server_name: name } })
  }
}

async function callStrangelyAsHomeserver({ counted, sfu }: TrafficStage): Promise<void> {
  const body = { url: sfu.wsUrl, room_id: ROOM_ID, slot_id: MARK, user_id: `@a:${MARK}.org` }
  const headers = { Authorization: `Bearer ${HS_TOKEN}`, 'X-Matrix-Origin': `${MARK}.org` }
  await counted.post(MEMBER_PATHS.federatedToken, { ...body, member_id: MARK }, headers)
}

/** The homeserver and the SFU answer with what they like. */
async function beAnsweredStrangely(stage: TrafficStage): Promise<void> {
  const { sfu, homeserver, counted } = stage
  for (const code of [MARK, `${MARK}"} 1\n`, 'unavailable', '__proto__']) {
    sfu.respond('CreateRoom', twirpError(400, code, MARK))
    await stage.exchange()
  }
  sfu.restore()
  homeserver.respond('/_matrix/*', reply(418, { errcode: `M_${MARK}`, error: MARK }))
  await stage.exchange()
  homeserver.restore()
  for (const event of [MARK, `${MARK}"`, '__proto__', 'participant_joined']) {
    await sfu.sendWebhook(`${counted.url}/sfu_webhook`, { event, room: { name: MARK } })
  }
}

test('no label value comes from outside', async () => {
  await using stage = await startTrafficStage({ LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.0/8' })
  await askStrangely(stage)
  await claimStrangeServers(stage)
  await callStrangelyAsHomeserver(stage)
  await beAnsweredStrangely(stage)
  const requests = () => stage.counted.log.filter(({ message }) => message === 'request').length
  await until(() => requests() >= 25 + 1 + 5 + 1 + 5 + 4)

  const samples = samplesOf(await scrape(stage.counted.app))
  const values = new Map<string, Set<string>>()
  for (const { labels } of samples) {
    for (const [label, value] of Object.entries(labels)) {
      values.set(label, (values.get(label) ?? new Set()).add(value))
    }
  }
  const of = (label: string) => [...(values.get(label) ?? [])].sort()
  expect(samples.map(({ labels }) => JSON.stringify(labels)).join()).not.toContain(MARK)
  expect(of('route')).toEqual([
    MEMBER_PATHS.federatedToken,
    '/get_token',
    '/sfu_webhook',
    'unknown',
  ])
  expect(of('server')).toEqual(['named', 'other'])
  expect(of('event')).toEqual([
    'other',
    'participant_connection_aborted',
    'participant_joined',
    'participant_left',
    'room_finished',
    'room_started',
    'track_published',
    'track_unpublished',
  ])
  expect(of('method')).toEqual(['CreateRoom'])
  expect(of('step')).toEqual(['connect', 'discovery', 'queue', 'server-name', 'userinfo'])
  expect(of('code').filter((code) => code !== '' && !isCauseCode(code))).toEqual([])
  expect(of('code')).toContain('federation.invalid-name')
  expect(of('outcome').filter((outcome) => !/^[a-z_-]+$/.test(outcome))).toEqual([
    'M_FORBIDDEN',
    'M_UNAUTHORIZED',
    'M_UNKNOWN',
    'M_UNRECOGNIZED',
  ])
  // What the SFU made up counts as "other"; what cannot be a code is none.
  const made = samples.filter(({ labels }) => labels.method === 'CreateRoom')
  const countOf = (outcome: string) => made.find(({ labels }) => labels.outcome === outcome)?.value
  expect([countOf('other'), countOf('unexpected_answer')]).toEqual([2, 1])
})
