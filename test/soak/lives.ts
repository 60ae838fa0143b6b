import { createCaller } from '../faults/support/caller.ts'
import { HS_TOKEN, MEMBER_PATHS } from '../support/member-stage.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { until } from '../support/until.ts'
import type { Form } from './form.ts'
import type { World } from './world.ts'

/** What must hold of every life. */
export interface Ledger {
  lives: number
  /** Leaves that the service sent while their user was connected. */
  falseLeaves: number
  /** Leaves that the homeserver's timer sent while their user was connected. */
  lateRestarts: number
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

/** Where lives take place, and who keeps count. */
export interface Scene {
  readonly world: World
  readonly form: Pick<Form, 'delayMs' | 'removedWithinMs'>
  readonly ledger: Ledger
  /** Members whose last life is not over. */
  readonly busyMembers: Set<number>
  /** The replica that a request happens to reach. */
  pick(): ServiceProcess
}

const SOON_MS = 60_000
/** Always the same, so that what the service remembers of rooms and members stops growing early. */
const ROOMS = 20
const MEMBERS = 60
const STRANGERS = ['slow.example', 'liar.example', 'gone.example']

async function untilOk(send: () => Promise<Response>): Promise<void> {
  await until(async () => (await send().catch(() => undefined))?.status === 200, SOON_MS)
}

/** Somebody hands over a leave, joins, stays for a while, and leaves. */
export async function liveAlone({ world, form, ledger, pick }: Scene): Promise<void> {
  ledger.lives += 1
  const { home, sfu } = world
  const roomId = `!call${ledger.lives % ROOMS}:example.com`
  const caller = createCaller({ home, sfu, delayMs: form.delayMs, roomId })
  await untilOk(() => caller.delegate(pick()))
  caller.connect()
  await caller.join(pick()).catch(() => undefined)
  await Bun.sleep(3_000 + Math.random() * 30_000)
  const early = home.events.sent(caller.delayId)?.by
  if (early === 'service') ledger.falseLeaves += 1
  if (early === 'timer') ledger.lateRestarts += 1
  const told = await caller.leave(pick(), 'CLIENT_INITIATED').catch(() => undefined)
  const sentWithinMs = form.delayMs + SOON_MS
  const sent = await until(() => home.events.sent(caller.delayId), sentWithinMs).catch(() => {})
  if (sent === undefined) ledger.lost += 1
  if (told?.status === 200 && sent?.by === 'timer') ledger.byTimer += 1
}

/** Asks for the token of a member; gives its LiveKit room and identity. */
async function joinAsMember({ world, pick }: Scene, roomId: string, userId: string) {
  const body = { url: world.sfu.wsUrl, room_id: roomId, slot_id: 's', member_id: 'm' }
  const headers = { Authorization: `Bearer ${HS_TOKEN}`, 'X-Matrix-User-Identifier': userId }
  let jwt = ''
  await untilOk(async () => {
    const url = pick().url + MEMBER_PATHS.token
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    jwt = ((await response.clone().json()) as { jwt?: string }).jwt ?? ''
    return response
  })
  const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
  const { sub: identity, video } = claims as { sub: string; video: { room: string } }
  return { identity, room: video.room }
}

/** A member gets a token, joins, is kicked, and must be off the SFU soon. */
export async function liveAsMember(scene: Scene): Promise<void> {
  const { world, form, ledger, busyMembers } = scene
  ledger.members += 1
  const number = ledger.members % MEMBERS
  if (busyMembers.has(number)) return
  busyMembers.add(number)
  const userId = `@member${number}:example.com`
  const roomId = `!room${number % ROOMS}`
  world.api.join(roomId, userId, '@resident:example.com')
  const { identity, room } = await joinAsMember(scene, roomId, userId)
  world.forgetRemoval(identity)
  world.sfu.addParticipant(room, identity)
  await Bun.sleep(2_000 + Math.random() * 10_000)
  world.api.leave(roomId, userId)
  await until(() => world.wasRemoved(identity), form.removedWithinMs).catch(() => {
    ledger.notRemoved += 1
  })
  world.sfu.removeParticipant(room, identity)
  busyMembers.delete(number)
}

/** Somebody of a homeserver that stalls, lies or is not there; hangs up when it takes long. */
export async function ask({ pick, ledger }: Scene): Promise<void> {
  ledger.strangers += 1
  const matrix_server_name = STRANGERS[ledger.strangers % STRANGERS.length]
  const openid_token = { access_token: 'made-up', matrix_server_name }
  const body = JSON.stringify({ room: '!room:example.com', openid_token, device_id: 'D' })
  const signal = AbortSignal.timeout(1_500)
  const url = `${pick().url}/sfu/get`
  const response = await fetch(url, { method: 'POST', body, signal }).catch(() => undefined)
  await response?.text().catch(() => '')
  if (response !== undefined && ![401, 503].includes(response.status)) ledger.strange += 1
}
