import { createHmac } from 'node:crypto'
import type { Synapse } from './synapse.ts'

/** An OpenID token as the homeserver hands it to its user's client. */
export interface OpenIdToken {
  readonly access_token: string
  readonly token_type: string
  readonly matrix_server_name: string
  readonly expires_in: number
}

/** @see https://spec.matrix.org/latest/client-server-api/#post_matrixclientv3createroom */
export type RoomPreset = 'private_chat' | 'public_chat'

/** What a homeserver answered. */
export interface ApiAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** A user's device that is logged in. */
export interface MatrixClient {
  readonly userId: string
  readonly deviceId: string
  /** Creates an empty room and returns its ID; with the preset `public_chat` anybody can join it. */
  createRoom(preset?: RoomPreset): Promise<string>
  /** Joins a room that a user of the named server is in, that of another one included. */
  joinRoom(roomId: string, viaServer: string): Promise<void>
  /** @see https://spec.matrix.org/latest/client-server-api/#openid */
  requestOpenIdToken(): Promise<OpenIdToken>
  /**
   * Calls the client-server API as this user.
   *
   * @param path What follows `/_matrix/client/`.
   * @throws {Error} When the answer is not a success.
   */
  call<Answer>(method: string, path: string, body?: unknown): Promise<Answer>
  /** Calls the client-server API as this user, and returns refusals too. */
  request(method: string, path: string, body?: unknown): Promise<ApiAnswer>
}

/** Registers a user and logs a device in. */
export async function logInNewUser(
  synapse: Synapse,
  username: string,
  deviceId: string,
): Promise<MatrixClient> {
  const password = `password of ${username}`
  await register(synapse, username, password)
  const clientUrl = (path: string) => `${synapse.plainUrl}/_matrix/client/${path}`
  const login = await callApi<{ user_id: string; device_id: string; access_token: string }>(
    clientUrl('v3/login'),
    'POST',
    {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: username },
      password,
      device_id: deviceId,
    },
  )

  function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    return callApi<Answer>(clientUrl(path), method, body, login.access_token)
  }

  async function request(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const response = await fetchApi(clientUrl(path), method, body, login.access_token)
    return { status: response.status, body: (await response.json()) as ApiAnswer['body'] }
  }

  return {
    userId: login.user_id,
    deviceId: login.device_id,
    createRoom: async (preset = 'private_chat') =>
      (await call<{ room_id: string }>('POST', 'v3/createRoom', { preset })).room_id,
    joinRoom: async (roomId, viaServer) => {
      const via = new URLSearchParams({ via: viaServer, server_name: viaServer })
      await call('POST', `v3/join/${encodeURIComponent(roomId)}?${via}`, {})
    },
    requestOpenIdToken: () =>
      call('POST', `v3/user/${encodeURIComponent(login.user_id)}/openid/request_token`, {}),
    call,
    request,
  }
}

/** @see https://element-hq.github.io/synapse/latest/admin_api/register_api.html */
async function register(synapse: Synapse, username: string, password: string): Promise<void> {
  const url = `${synapse.plainUrl}/_synapse/admin/v1/register`
  const { nonce } = await callApi<{ nonce: string }>(url, 'GET')
  const mac = createHmac('sha1', synapse.registrationSecret)
    .update([nonce, username, password, 'notadmin'].join('\0'))
    .digest('hex')
  await callApi(url, 'POST', { nonce, username, password, admin: false, mac })
}

function fetchApi(
  url: string,
  method: string,
  body?: unknown,
  accessToken?: string,
): Promise<Response> {
  return fetch(url, {
    method,
    headers: accessToken === undefined ? {} : { Authorization: `Bearer ${accessToken}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

async function callApi<Answer>(...call: Parameters<typeof fetchApi>): Promise<Answer> {
  const [url, method] = call
  const response = await fetchApi(...call)
  if (!response.ok) {
    throw new Error(`${method} ${url} answered ${response.status}: ${await response.text()}`)
  }
  return response.json() as Promise<Answer>
}
