import { createHash, timingSafeEqual } from 'node:crypto'
import { Elysia } from 'elysia'
import type { MemberRequest } from '../exchange/member-request.ts'
import { ForeignUser } from '../exchange/member-tokens.ts'
import type { CancellationSignal } from '../lib/cancellation.ts'
import { DeadlineExceeded, withDeadline } from '../lib/deadline.ts'
import { parseServerName, serverNameOfUser } from '../matrix/server-name.ts'
import type { Trouble } from '../trouble.ts'
import { JSON_BODY } from './json-body.ts'
import type { Limits } from './limits.ts'
import type { RequestLog } from './request-log.ts'

/** Why a request of the homeserver is refused, where the operator can do something about it. */
export type CallerTroubleCode = 'homeserver.hs-token-unknown' | 'homeserver.too-slow'

/** A request does not come from our homeserver, or does not say for whom. */
export class CallerError extends Error {
  readonly code: 'token-missing' | 'caller-missing' | 'caller-malformed'

  constructor(code: CallerError['code'], message: string) {
    super(message)
    this.name = 'CallerError'
    this.code = code
  }
}

/** The request does not show the `hs_token` of our homeserver. */
export class UnknownToken extends Error {
  readonly code = 'token-unknown'
  readonly trouble: Trouble<CallerTroubleCode> = {
    code: 'homeserver.hs-token-unknown',
    found: 'the access token is not our hs_token',
  }

  constructor() {
    super('The access token is unknown.')
    this.name = 'UnknownToken'
  }
}

/** The request took longer than the homeserver waits for an answer. */
export class AnswerTooLate extends Error {
  readonly code = 'answer-too-late'
  readonly trouble: Trouble<CallerTroubleCode> = {
    code: 'homeserver.too-slow',
    found: 'the homeserver, or another one, took too long',
  }

  constructor() {
    super('the request took too long')
    this.name = 'AnswerTooLate'
  }
}

/** Options of {@link homeserverCalls}. */
export interface HomeserverCallsOptions {
  /** Secret by which our homeserver proves who it is. */
  readonly hsToken: string
  /** Our homeserver's server name. */
  readonly serverName: string
  readonly requestLog: RequestLog
  readonly limits: Limits
  /** Milliseconds since some moment, never going back. */
  readonly monotonicNow: () => number
  /** How long a request may take in all. */
  readonly answerWithinMs?: number | undefined
}

/** Whom a request is about, for the log. */
type Place = Pick<MemberRequest, 'room' | 'identity'>

/** A route's work; `signal` fires when the homeserver hangs up or would not wait any longer. */
type Work<T> = (signal: CancellationSignal) => Promise<T>

const UTF_8 = new TextDecoder('utf-8', { fatal: true })
const USER_HEADER = 'x-matrix-user-identifier'
const ORIGIN_HEADER = 'x-matrix-origin'
/** Synapse waits 30 s for an answer. */
const ANSWER_WITHIN_MS = 28_000

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function requiredHeader(request: Request, name: string): string {
  const value = request.headers.get(name) ?? ''
  if (value === '') throw new CallerError('caller-missing', `The header "${name}" is missing.`)
  try {
    // The runtime reads headers as Latin-1; homeservers write them in UTF-8.
    return UTF_8.decode(Buffer.from(value, 'latin1'))
  } catch {
    throw malformed(name)
  }
}

function malformed(header: string): CallerError {
  return new CallerError('caller-malformed', `The header "${header}" is malformed.`)
}

/** Ends the parsing; otherwise the framework would go by `Content-Type`, and fail at what is no JSON. */
function ignoreBody(): object {
  return {}
}

/**
 * What the routes need that our homeserver calls. `parse` options require its token, and the header that
 * says for which user or other server it calls, before the body is read. The route option `caller` puts
 * that user or server into the context, and `inTime`, by which a handler does its work so that the
 * homeserver is answered before it gives up.
 *
 * @see https://spec.matrix.org/latest/application-service-api/#authorization
 */
export function homeserverCalls(options: HomeserverCallsOptions) {
  const { hsToken, serverName, requestLog, limits, monotonicNow } = options
  const { answerWithinMs = ANSWER_WITHIN_MS } = options
  const expected = digest(hsToken)
  const callers = new WeakMap<Request, string>()

  function requireToken({ request }: { readonly request: Request }): void {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '') ?? []
    if (token === undefined) {
      throw new CallerError('token-missing', 'The access token is missing.')
    }
    if (timingSafeEqual(digest(token), expected)) return
    throw new UnknownToken()
  }

  function requireUser({ request }: { readonly request: Request }): void {
    const userId = requiredHeader(request, USER_HEADER)
    const server = serverNameOfUser(userId)
    if (server === undefined || parseServerName(server) === undefined) throw malformed(USER_HEADER)
    if (server !== serverName) throw new ForeignUser()
    requestLog.of(request).serverName = server
    limits.admitUser(userId)
    callers.set(request, userId)
  }

  function requireOrigin({ request }: { readonly request: Request }): void {
    const origin = requiredHeader(request, ORIGIN_HEADER)
    if (parseServerName(origin) === undefined) throw malformed(ORIGIN_HEADER)
    requestLog.of(request).serverName = origin
    limits.admitOrigin(origin)
    callers.set(request, origin)
  }

  /** What a handler finds in its context. */
  function contextOf({ request }: { readonly request: Request }) {
    async function inTime<T>({ room, identity }: Place, work: Work<T>): Promise<T> {
      const record = Object.assign(requestLog.of(request), { room, identity })
      const sinceMs = monotonicNow() - record.startedAt
      try {
        return await withDeadline(answerWithinMs - sinceMs, request.signal, work)
      } catch (error) {
        throw error instanceof DeadlineExceeded ? new AnswerTooLate() : error
      }
    }
    return { caller: callers.get(request) ?? '', inTime }
  }

  return {
    forItself: [requireToken, ignoreBody] as const,
    forUser: [requireToken, requireUser, ...JSON_BODY] as const,
    forOrigin: [requireToken, requireOrigin, ...JSON_BODY] as const,
    plugin: new Elysia({ name: 'homeserver-calls' }).macro({
      cors: (_enabled: true) => ({}),
      caller: (_enabled: true) => ({ resolve: contextOf }),
    }),
  }
}

/** What routes use of {@link homeserverCalls}. */
export type HomeserverCalls = ReturnType<typeof homeserverCalls>
