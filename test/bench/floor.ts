import { createHash } from 'node:crypto'
import { CreateRoomRequest } from '@livekit/protocol'
import { SignJWT } from 'jose'

/**
 * The least Bun program that makes the same exchanges as the service: userinfo over TLS, the room
 * for full access, one signature per token. No framework, no checks, no limits, no logs; never use
 * it for anything but as a measure. Takes the service's own settings, as far as it needs them.
 */
const {
  LIVEKIT_JWT_BIND = '',
  LIVEKIT_FULL_ACCESS_HOMESERVERS = '',
  LIVEKIT_URL = '',
  LIVEKIT_KEY = '',
  LIVEKIT_SECRET = '',
} = process.env

interface Body {
  readonly room_id: string
  readonly slot_id: string
  readonly openid_token: { readonly access_token: string; readonly matrix_server_name: string }
  readonly member: { readonly id: string; readonly claimed_device_id: string }
}

const key = await crypto.subtle.importKey(
  'raw',
  new TextEncoder().encode(LIVEKIT_SECRET),
  { name: 'HMAC', hash: 'SHA-256' },
  false,
  ['sign'],
)
const createRoomUrl = `${LIVEKIT_URL.replace(/^ws/, 'http')}/twirp/livekit.RoomService/CreateRoom`
const createRoomHeaders = {
  authorization: `Bearer ${await sign({ video: { roomCreate: true } })}`,
  'content-type': 'application/protobuf',
}

function sign(claims: Record<string, unknown>): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ iss: LIVEKIT_KEY, nbf: now, exp: now + 3600, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(key)
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64').slice(0, 43)
}

async function createRoom(name: string): Promise<void> {
  const request = new CreateRoomRequest({ name, emptyTimeout: 300, departureTimeout: 20 })
  const response = await fetch(createRoomUrl, {
    method: 'POST',
    headers: createRoomHeaders,
    body: request.toBinary(),
  })
  await response.arrayBuffer()
}

async function exchange(request: Request): Promise<Response> {
  const { room_id, slot_id, openid_token, member } = (await request.json()) as Body
  const { matrix_server_name: serverName, access_token: token } = openid_token
  const userinfo = await fetch(
    `https://${serverName}/_matrix/federation/v1/openid/userinfo?access_token=${encodeURIComponent(token)}`,
  )
  const { sub } = (await userinfo.json()) as { sub: string }
  const room = hash([room_id, slot_id])
  if (serverName === LIVEKIT_FULL_ACCESS_HOMESERVERS) await createRoom(room)
  const jwt = await sign({
    sub: hash([sub, member.claimed_device_id, member.id]),
    video: {
      room,
      roomJoin: true,
      roomCreate: false,
      canPublish: true,
      canSubscribe: true,
      canUpdateOwnMetadata: false,
    },
  })
  return Response.json({ url: LIVEKIT_URL, jwt })
}

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(LIVEKIT_JWT_BIND.split(':')[1]),
  fetch: (request) => (request.method === 'POST' ? exchange(request) : new Response('')),
})
