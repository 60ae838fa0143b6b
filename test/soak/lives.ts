import { createCaller } from '../faults/support/caller.ts'
import { HS_TOKEN, MEMBER_PATHS } from '../support/member-stage.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { until } from '../support/until.ts'
import { INTERVAL_S, type World } from './world.ts'

/** What must hold of every life. */
export interface Ledger {
  lives: number
  /** Leaves that were sent while their user was connected. */
  falseLeaves: number
  /** Departures that were never announced. */
  lost: number
  /** Departures that the service was told of, and the homeserver's timer announced. */
  byTimer: number
  members: number
  /** Users who were kicked, and were still on the SFU too long after. */
  notRemoved: number
  strangers: number
  /** Requests that got an answer that no request of theirs may get. */
  strange: number
}

const DELAY_MS = 10_000
const SOON_MS = 60_000
/** Replicas restart, and Redis is away for moments: longer than one interval and 2 s. */
const REMOVED_WITHIN_MS = (INTERVAL_S + 15) * 1_000

type Pick = () => ServiceProcess

async function untilOk(send: () => Promise<Response>): Promise<void> {
  await until(async () => (await send().catch(() => undefined))?.status === 200, SOON_MS)
}

/** Somebody hands over a leave, joins, stays for a while, and leaves. */
export async function liveAlone(world: World, replica: Pick, ledger: Ledger): Promise<void> {
  ledger.lives += 1
  const { home, sfu } = world
  const caller = createCaller({ home, sfu, delayMs: DELAY_MS })
  await untilOk(() => caller.delegate(replica()))
  caller.connect()
  await caller.join(replica()).catch(() => undefined)
  await Bun.sleep(3_000 + Math.random() * 30_000)
  if (home.events.sent(caller.delayId) !== undefined) ledger.falseLeaves += 1
  const told = await caller.leave(replica(), 'CLIENT_INITIATED').catch(() => undefined)
  const sent = await until(() => home.events.sent(caller.delayId), SOON_MS).catch(() => undefined)
  if (sent === undefined) ledger.lost += 1
  if (told?.status === 200 && sent?.by === 'timer') ledger.byTimer += 1
}

/** A member gets a token, joins, is kicked, and must be off the SFU soon. */
export async function liveAsMember(world: World, replica: Pick, ledger: Ledger): Promise<void> {
  ledger.members += 1
  const number = ledger.members
  const { api, sfu } = world
  const userId = `@member${number}:example.com`
  const roomId = `!room${number % 20}`
  api.join(roomId, userId, '@resident:example.com')
  const body = { url: sfu.wsUrl, room_id: roomId, slot_id: 's', member_id: 'm' }
  const headers = { Authorization: `Bearer ${HS_TOKEN}`, 'X-Matrix-User-Identifier': userId }
  let jwt = ''
  await untilOk(async () => {
    const url = replica().url + MEMBER_PATHS.token
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    jwt = ((await response.clone().json()) as { jwt?: string }).jwt ?? ''
    return response
  })
  const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
  const { sub: identity, video } = claims as { sub: string; video: { room: string } }
  sfu.addParticipant(video.room, identity)
  await Bun.sleep(2_000 + Math.random() * 10_000)
  api.leave(roomId, userId)
  const isOff = () =>
    sfu.requests.some(({ method, message }) => {
      return method === 'RemoveParticipant' && Object(message).identity === identity
    })
  await until(isOff, REMOVED_WITHIN_MS).catch(() => {
    ledger.notRemoved += 1
  })
  sfu.removeParticipant(video.room, identity)
}

const STRANGERS = ['slow.example', 'liar.example', 'gone.example']

/** Somebody of a homeserver that stalls, lies or is not there; hangs up when it takes long. */
export async function ask(replica: Pick, ledger: Ledger): Promise<void> {
  ledger.strangers += 1
  const matrix_server_name = STRANGERS[ledger.strangers % STRANGERS.length]
  const openid_token = { access_token: 'made-up', matrix_server_name }
  const body = JSON.stringify({ room: '!room:example.com', openid_token, device_id: 'D' })
  const signal = AbortSignal.timeout(1_500)
  const url = `${replica().url}/sfu/get`
  const response = await fetch(url, { method: 'POST', body, signal }).catch(() => undefined)
  await response?.text().catch(() => '')
  if (response !== undefined && ![401, 503].includes(response.status)) ledger.strange += 1
}
