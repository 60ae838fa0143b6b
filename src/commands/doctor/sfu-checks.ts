import type { Config } from '../../config.ts'
import { createTokenSigner, type TokenSigner } from '../../livekit/access-token.ts'
import { createRoomService, type RoomService, sfuApiBase } from '../../livekit/room-service.ts'
import { SfuError } from '../../livekit/sfu-error.ts'
import { type Clocks, clockSkew } from './clock-skew.ts'
import type { Report } from './report.ts'
import { signallingStatus } from './signalling.ts'

/** What the checks of the SFU need. */
export interface SfuCheckParts {
  readonly config: Config
  readonly report: Report
  readonly clocks: Clocks
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly timeoutMs?: number | undefined
}

/** A usable SFU, for checks that need one. */
export interface CheckedSfu {
  readonly rooms: RoomService
  /** Name of a LiveKit room that nobody else uses. */
  readonly unusedRoom: string
}

const TOKEN_SECONDS = 60
const TIMEOUT_MS = 5_000
/** Statuses of the signalling socket. */
const ADMITTED = 101
const REFUSED = 404
/** LiveKit takes tokens that are so much too old or too new. */
const TOLERATED_SKEW_SECONDS = 60

/** Reports a difference of the clocks; whether it makes tokens unusable. */
async function checkClock({ config, report, clocks, now, timeoutMs = TIMEOUT_MS }: SfuCheckParts) {
  const sentAt = now()
  try {
    const response = await fetch(`${sfuApiBase(config.liveKitInternalUrl)}/`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    await response.body?.cancel()
    const skew = clockSkew(response.headers.get('date'), sentAt, now())
    if (skew === undefined) return false
    clocks.note(skew.seconds)
    const isSevere = Math.abs(skew.seconds) >= TOLERATED_SKEW_SECONDS
    const trouble = { code: 'sfu.clock-skew', found: skew.text } as const
    if (isSevere) report.problem('sfu', trouble)
    else report.warning('sfu', trouble)
    return isSevere
  } catch {
    // The call of the API says what is wrong.
    return false
  }
}

/** Whether the SFU's API can be called with the key and secret. */
async function checkApi({ config, report }: SfuCheckParts, rooms: RoomService): Promise<boolean> {
  try {
    await rooms.check()
    const base = sfuApiBase(config.liveKitInternalUrl)
    report.ok('sfu', `LiveKit answers at ${base}, and accepts the key and secret`)
    return true
  } catch (error) {
    if (!(error instanceof SfuError)) throw error
    report.problem('sfu', error.trouble)
    return false
  }
}

function answerText(base: string, status: number | undefined): string {
  return `${base}/rtc ${status === undefined ? 'gave no answer' : `answered ${status}`}`
}

/**
 * Asks to join the room, as clients do, before and after it has been created.
 *
 * @throws {SfuError} when it cannot be created
 */
async function checkSignalling(parts: SfuCheckParts, signer: TokenSigner, sfu: CheckedSfu) {
  const { config, report, timeoutMs = TIMEOUT_MS } = parts
  const { rooms, unusedRoom: room } = sfu
  const participation = { room, identity: 'doctor', canPublish: false, canUpdateOwnMetadata: false }
  const jwt = signer.participantToken(participation, TOKEN_SECONDS)
  const base = sfuApiBase(config.liveKitInternalUrl)
  const statusAt = (url: string) => signallingStatus(url, jwt, timeoutMs)

  const before = await statusAt(base)
  await rooms.createRoom(room)
  const after = before === ADMITTED ? before : await statusAt(base)
  const publicBase = sfuApiBase(config.liveKitUrl)
  const publicly = publicBase === base ? ADMITTED : await statusAt(publicBase)
  // Whatever fails here, the SFU closes the empty room by itself.
  await rooms.deleteRoom(room, AbortSignal.timeout(timeoutMs)).catch(() => {})

  if (before === ADMITTED) {
    const found = 'a participant got into a room that nobody had created'
    report.problem('signalling', { code: 'sfu.auto-create-on', found })
  } else if (before === REFUSED && after === ADMITTED) {
    report.ok('signalling', 'a room lets participants in once it has been created, and not before')
  } else {
    const found = `${answerText(base, after)} for a room that was created`
    report.problem('signalling', { code: 'sfu.signalling-unclear', found })
  }
  if (publicly === ADMITTED) return
  const found = answerText(publicBase, publicly)
  report.warning('signalling', { code: 'sfu.public-url-unclear', found })
}

/** Browsers take a page and a WebSocket without TLS from their own machine only. */
function checkPublicUrl({ config, report }: SfuCheckParts): void {
  const { protocol, hostname, origin } = new URL(sfuApiBase(config.liveKitUrl))
  if (protocol === 'https:' || /^(?:localhost|127\..*|\[::1\])$/.test(hostname)) return
  const found = `clients are sent to ${origin.replace(/^http/, 'ws')}`
  report.warning('sfu', { code: 'sfu.url-without-tls', found })
}

/** Checks the SFU; `undefined` unless it can be used. */
export async function checkSfu(parts: SfuCheckParts): Promise<CheckedSfu | undefined> {
  const { config, report, now, timeoutMs } = parts
  report.progress('the SFU')
  checkPublicUrl(parts)
  const signer = createTokenSigner(config.credentials, now)
  if (await checkClock(parts)) {
    report.skipped('signalling', 'needs the same time here and at the SFU')
    return undefined
  }
  const sfuUrl = config.liveKitInternalUrl
  const rooms = createRoomService({ sfuUrl, signer, now, timeoutMs })
  if (!(await checkApi(parts, rooms))) {
    report.skipped('signalling', "needs the SFU's API")
    return undefined
  }
  const sfu = { rooms, unusedRoom: `doctor-${crypto.randomUUID()}` }
  try {
    await checkSignalling(parts, signer, sfu)
    return sfu
  } catch (error) {
    if (!(error instanceof SfuError)) throw error
    report.problem('signalling', error.trouble)
    return undefined
  }
}
