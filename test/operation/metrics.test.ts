import { describe, expect, test } from 'bun:test'
import { metricNames, samplesOf, sampleValue, scrape } from '../support/metrics-text.ts'
import { promtool } from '../support/promtool.ts'
import { until } from '../support/until.ts'
import { startTrafficStage, type TrafficStage } from './traffic-stage.ts'

const SUFFIX = /_(bucket|sum|count)$/
const USERINFO = '/_matrix/federation/v1/openid/userinfo'
const openid_token = { access_token: 'unknown', matrix_server_name: 'example.com' }

function createReader({ counted }: TrafficStage) {
  async function value(name: string, labels: Record<string, string> = {}) {
    return sampleValue(await scrape(counted.app), `jwt_service_${name}`, labels) ?? 0
  }

  /** Waits until a series has reached a value. */
  function reaches(least: number, name: string, labels: Record<string, string> = {}) {
    return until(async () => (await value(name, labels)) >= least)
  }
  return { value, reaches }
}

describe('counts', () => {
  test('a token: its request, verification and the call of the SFU', async () => {
    await using stage = await startTrafficStage()
    const { value, reaches } = createReader(stage)
    expect((await stage.exchange()).status).toBe(200)
    await reaches(1, 'requests_total', { route: '/get_token', outcome: 'ok' })
    expect(await value('request_duration_seconds_count', { route: '/get_token' })).toBe(1)
    const verified = { server: 'named', step: 'userinfo', outcome: 'ok', code: '' }
    expect(await value('verifications_total', verified)).toBe(1)
    expect(await value('sfu_calls_total', { method: 'CreateRoom', outcome: 'ok' })).toBe(1)
    expect(await value('sfu_call_duration_seconds_count', { method: 'CreateRoom' })).toBe(1)
  })

  test.each([
    ['a token that the homeserver refuses', undefined, 'refused', 'token-refused', 'not-matrix'],
    ['a homeserver that fails', { kind: 'invalid-json' }, 'failed', 'not-matrix', 'token-refused'],
  ] as const)('%s', async (_, answer, outcome, problem, other) => {
    await using stage = await startTrafficStage()
    if (answer !== undefined) stage.homeserver.respond(USERINFO, answer)
    expect((await stage.exchange({ openid_token })).status).toBe(401)
    const text = await scrape(stage.counted.app)
    const decided = samplesOf(text).filter(({ name }) => name.endsWith('_verifications_total'))
    expect(decided.filter((sample) => sample.value > 0)).toEqual([
      {
        name: 'jwt_service_verifications_total',
        labels: { server: 'named', step: 'userinfo', outcome, code: `federation.${problem}` },
        value: 1,
      },
    ])
    expect(decided).toContainEqual(
      expect.objectContaining({
        labels: expect.objectContaining({ server: 'named', code: `federation.${other}` }),
        value: 0,
      }),
    )
  })

  test('the life of a delegation, and its webhooks', async () => {
    await using stage = await startTrafficStage()
    const { value, reaches } = createReader(stage)
    const identity = await stage.delegate('life')
    expect(await value('delegation_transitions_total', { from: 'none', to: 'waiting' })).toBe(1)
    expect(await value('delegations', { state: 'waiting' })).toBe(1)
    await stage.report('participant_joined', identity)
    expect(await value('webhooks_total', { event: 'participant_joined' })).toBe(1)
    await reaches(1, 'delegation_restarts_total', { outcome: 'in-time' })
    expect(await value('delegations', { state: 'connected' })).toBe(1)
    await stage.report('participant_left', identity)
    await reaches(1, 'delegation_transitions_total', { from: 'leaving', to: 'finished' })
    expect(await value('delegations', { state: 'leaving' })).toBe(0)
    expect(await value('store_calls_total', { operation: 'put', outcome: 'ok' })).toBe(1)
  })

  test('restarts that fail', async () => {
    await using stage = await startTrafficStage()
    const { reaches } = createReader(stage)
    stage.homeserver.respond('/_matrix/client/*', { kind: 'close' })
    await stage.report('participant_joined', await stage.delegate('failing'))
    await reaches(1, 'delegation_restarts_total', { outcome: 'failed' })
  })

  test('questions about members, and who is taken off the SFU', async () => {
    await using stage = await startTrafficStage()
    const { value, reaches } = createReader(stage)
    await stage.leaveRoomWhileConnected()
    await reaches(1, 'membership_removals_total', { what: 'participant', outcome: 'ok' })
    expect(await value('membership_checks_total', { purpose: 'token', answer: 'joined' })).toBe(1)
    const enforced = { purpose: 'enforcement', answer: 'members' }
    expect(await value('membership_checks_total', enforced)).toBeGreaterThan(0)
  })

  test('refusals by limit', async () => {
    await using stage = await startTrafficStage({
      LIVEKIT_RATE_LIMIT: '1/2',
      LIVEKIT_TRUSTED_PROXIES: 'none',
    })
    const { reaches } = createReader(stage)
    await Promise.all(Array.from({ length: 5 }, () => stage.exchange()))
    await reaches(1, 'requests_refused_total', { limit: 'address' })
  })
})

test('after traffic of every kind all metrics have samples, and promtool has nothing to say', async () => {
  await using stage = await startTrafficStage()
  const { reaches } = createReader(stage)
  await stage.exchange({ openid_token })
  const identity = await stage.delegate('life')
  await stage.report('participant_joined', identity)
  await stage.report('participant_left', identity)
  await reaches(1, 'delegation_transitions_total', { from: 'leaving', to: 'finished' })
  await stage.leaveRoomWhileConnected()
  await reaches(1, 'membership_removals_total', { what: 'participant', outcome: 'ok' })

  const text = await scrape(stage.counted.app)
  const found = new Set(samplesOf(text).map(({ name }) => name.replace(SUFFIX, '')))
  expect(metricNames(text).filter((name) => !found.has(name))).toEqual([])
  expect(await promtool(['check', 'metrics'], { stdin: text })).toEqual({ code: 0, output: '' })
})
