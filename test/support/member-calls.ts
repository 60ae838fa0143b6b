import type { TestApp, TestAppOptions } from './app.ts'
import { HS_TOKEN, type MemberStage, startMemberStage } from './member-stage.ts'

/** The URL of the SFU, as clients know it. */
export const SFU_URL = 'wss://livekit.example.com/sfu'
/** A Matrix room, without a server name as in newer room versions. */
export const MATRIX_ROOM = '!roomid'
/** A user of the homeserver, and one of another. */
export const ALICE = '@alice:example.com'
export const BOB = '@bob:other.example'

/** Body of a token request of {@link ALICE}. */
export const CLIENT_BODY = {
  url: SFU_URL,
  room_id: MATRIX_ROOM,
  slot_id: 'slot1234',
  member_id: 'memberABC',
}
/** Body of a token request for {@link BOB}. */
export const FEDERATION_BODY = { ...CLIENT_BODY, user_id: BOB }
/** Body of a delegation of {@link ALICE}. */
export const LEAVE_BODY = { ...CLIENT_BODY, delay_id: 'syd_1' }

/** An endpoint that the homeserver calls. */
export interface Endpoint {
  readonly path: string
  /** Whether browsers call it, through the homeserver. */
  readonly cors: boolean
  /** The header that says for whom the homeserver calls; ping has none. */
  readonly header?: string
  readonly caller?: string
  readonly body: Readonly<Record<string, unknown>>
}

const USER = { cors: true, header: 'X-Matrix-User-Identifier', caller: ALICE } as const
const ORIGIN = { cors: false, header: 'X-Matrix-Origin', caller: 'other.example' } as const
const UNSTABLE = 'unstable/io.element.msc4195'

interface CallerEndpoint extends Endpoint {
  readonly header: string
}

function endpointsOf(version: string) {
  const rtc = `${version}/rtc/livekit`
  return {
    token: { path: `/_matrix/client/${rtc}/get_token`, ...USER, body: CLIENT_BODY },
    leave: { path: `/_matrix/client/${rtc}/delegate_delayed_leave`, ...USER, body: LEAVE_BODY },
    federatedToken: {
      path: `/_matrix/federation/${rtc}/get_token`,
      ...ORIGIN,
      body: FEDERATION_BODY,
    },
  }
}

/** The endpoints that have a body, as Synapse calls them today. */
export const {
  token: CLIENT_TOKEN,
  leave: CLIENT_LEAVE,
  federatedToken: FEDERATED_TOKEN,
}: Readonly<Record<'token' | 'leave' | 'federatedToken', CallerEndpoint>> = endpointsOf(UNSTABLE)

/** The endpoints that have a body, under their stable and unstable paths. */
export const BODY_ENDPOINTS: readonly CallerEndpoint[] = ['v1', UNSTABLE].flatMap((version) =>
  Object.values(endpointsOf(version)),
)

/** All endpoints of the mode. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...BODY_ENDPOINTS,
  { path: '/_matrix/app/v1/ping', cors: false, body: {} },
  { path: `/_matrix/app/${UNSTABLE}/ping`, cors: false, body: {} },
]

/** The headers of a good request. */
export function headersOf({ header, caller = '' }: Endpoint): Record<string, string> {
  const authorization = { Authorization: `Bearer ${HS_TOKEN}` }
  return header === undefined ? authorization : { ...authorization, [header]: caller }
}

/** An answer in one piece. */
export interface CallAnswer extends Record<string, unknown> {
  readonly status: number
}

/** Reads an answer, which must be JSON. */
export async function answerOf(response: Response | Promise<Response>): Promise<CallAnswer> {
  const { status, headers } = await response
  if (headers.get('content-type') !== 'application/json') throw new Error('not announced as JSON')
  return { ...((await (await response).json()) as object), status }
}

/** The claims of the token in an answer. */
export function claimsOf(answer: CallAnswer): Readonly<Record<string, unknown>> {
  const [, payload = ''] = String(answer.jwt).split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}

/** The service with what it asks of others, in short. */
export interface CallStage extends MemberStage {
  /** Sends a good request to an endpoint, with another body or further headers. */
  call(endpoint: Endpoint, body?: unknown, headers?: Record<string, string>): Promise<CallAnswer>
  /** What the homeserver was asked since {@link reset}, `/versions` apart: path end and query. */
  asked(): readonly string[]
  /** Names of the rooms that the SFU was told to create since {@link reset}. */
  created(): readonly unknown[]
  /** A homeserver and an SFU that behave, nobody in any room, and nothing asked yet. */
  reset(): void
}

/** Sets the stage. */
export async function startCallStage(options: TestAppOptions = {}): Promise<CallStage> {
  const env = { LIVEKIT_URL: SFU_URL, ...options.env }
  const stage = await startMemberStage({ ...options, env })
  const { homeserver, api, sfu, app } = stage
  return {
    ...stage,
    call(endpoint, body = endpoint.body, headers = {}) {
      return answerOf(post(app, endpoint.path, body, { ...headersOf(endpoint), ...headers }))
    },
    asked() {
      const requests = homeserver.requests.filter(({ path }) => !path.endsWith('/versions'))
      return requests.map(({ path, query }) => {
        const [key, value] = [...query].at(-1) ?? []
        const end = path.slice(path.lastIndexOf('/') + 1)
        return key === undefined ? end : `${end} ${key}=${value}`
      })
    },
    created() {
      const creations = sfu.requests.filter(({ method }) => method === 'CreateRoom')
      return creations.map(({ message }) => ('name' in message ? message.name : undefined))
    },
    reset() {
      homeserver.restore()
      sfu.restore()
      api.members.clear()
      api.scheduled.clear()
      for (const list of [api.asked, homeserver.requests, homeserver.delayedEventCalls]) {
        list.length = 0
      }
      sfu.requests.length = 0
    },
  }
}

/** POSTs text as it is, and anything else as JSON. */
export function post(
  app: TestApp,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Response> {
  const isRaw =
    typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream
  const raw = isRaw ? (body as string) : JSON.stringify(body)
  return fetch(app.url + path, { method: 'POST', body: raw, headers })
}
