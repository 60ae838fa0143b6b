import { createHmac } from 'node:crypto'
import type { Synapse } from './synapse.ts'

/** An OpenID token as the homeserver hands it to its user's client. */
export interface OpenIdToken {
  readonly access_token: string
  readonly token_type: string
  readonly matrix_server_name: string
  readonly expires_in: number
}

/** A user's device that is logged in. */
export interface MatrixClient {
  readonly userId: string
  readonly deviceId: string
  /** Creates an empty room and returns its ID. */
  createRoom(): Promise<string>
  /** @see https://spec.matrix.org/latest/client-server-api/#openid */
  requestOpenIdToken(): Promise<OpenIdToken>
  /**
   * Calls the client-server API as this user.
   *
   * @param path What follows `/_matrix/client/`.
   * @throws {Error} When the answer is not a success.
   */
  call<Answer>(method: string, path: string, body?: unknown): Promise<Answer>
}

/** Registers a user and logs a device in. */
export async function logInNewUser(
  synapse: Synapse,
  username: string,
  deviceId: string,
): Promise<MatrixClient> {
  const password = `password of ${username}`
  await register(synapse, username, password)
  const login = await callApi<{ user_id: string; device_id: string; access_token: string }>(
    `${synapse.plainUrl}/_matrix/client/v3/login`,
    'POST',
    {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: username },
      password,
      device_id: deviceId,
    },
  )

  function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const url = `${synapse.plainUrl}/_matrix/client/${path}`
    return callApi<Answer>(url, method, body, login.access_token)
  }

  return {
    userId: login.user_id,
    deviceId: login.device_id,
    createRoom: async () => (await call<{ room_id: string }>('POST', 'v3/createRoom', {})).room_id,
    requestOpenIdToken: () =>
      call('POST', `v3/user/${encodeURIComponent(login.user_id)}/openid/request_token`, {}),
    call,
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

async function callApi<Answer>(
  url: string,
  method: string,
  body?: unknown,
  accessToken?: string,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: accessToken === undefined ? {} : { Authorization: `Bearer ${accessToken}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  if (!response.ok) {
    throw new Error(`${method} ${url} answered ${response.status}: ${await response.text()}`)
  }
  return response.json() as Promise<Answer>
}
