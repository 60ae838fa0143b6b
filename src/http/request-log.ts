import type { Access } from '../exchange/access.ts'
import type { Logger } from '../log.ts'
import type { Trouble } from '../trouble.ts'
import { pathOf } from './request-path.ts'

/** Everything about a request that is logged, as one line, when it ends; and what limits it. */
export interface RequestRecord {
  readonly requestId: string
  /** Without the query, which may hold secrets. */
  readonly path: string
  /** Milliseconds, monotonic. */
  readonly startedAt: number
  /** Key of the limit by address. It is not logged. */
  addressKey?: string | undefined
  serverName?: string
  access?: Access['level']
  /** The event of a webhook. */
  event?: string
  room?: string
  identity?: string
  /** How the request ended: `ok`, or a Matrix error code. */
  outcome?: string
  /** The step that failed. */
  step?: string
  /** Why it failed, where there is nothing that the operator could do. */
  cause?: string
  /** Why it failed, where there may be. */
  trouble?: Trouble
  /** Whether a line for many such requests is written elsewhere. */
  isOneOfMany?: boolean
}

/** Keeps a record of every request under way, and logs it when the request ends. */
export interface RequestLog {
  /** Starts the record of a request. */
  begin(request: Request): RequestRecord
  /** The record of a request that is under way. */
  of(request: Request): RequestRecord
  /** Writes the line. */
  end(request: Request, status: number): void
}

const WELL_FORMED_ID = /^[\w.:/+=@-]{1,128}$/
/** Longest possible server name with port; what clients claim is cut to this length. */
const MAX_SERVER_NAME = 262
const MAX_ROUTE = 100
const MAX_CAUSE = 1_000
const QUIET_ROUTES = ['/healthz', '/swagger']

function levelOf(route: string, status: number): 'debug' | 'info' | 'warn' | 'error' {
  if (status === 500) return 'error'
  if (status > 500) return 'warn'
  const isQuiet = status < 400 && QUIET_ROUTES.some((quiet) => route.startsWith(quiet))
  return isQuiet ? 'debug' : 'info'
}

/** Where a request carries its record; a `WeakMap` of requests keeps the garbage collector busy. */
const RECORD = Symbol('record')

type Recorded = Request & { [RECORD]?: RequestRecord }

/**
 * Creates {@link RequestLog}.
 *
 * @param onEnd - called with every record when its request ends
 */
export function createRequestLog(
  logger: Logger,
  monotonicNow: () => number,
  onEnd: (record: RequestRecord, durationMs: number) => void = () => {},
): RequestLog {
  function begin(request: Recorded): RequestRecord {
    const given = request.headers.get('x-request-id')
    const isUsable = given !== null && WELL_FORMED_ID.test(given)
    const requestId = isUsable ? given : crypto.randomUUID()
    const record = { requestId, path: pathOf(request), startedAt: monotonicNow() }
    request[RECORD] = record
    return record
  }

  const of = (request: Recorded) => request[RECORD] ?? begin(request)

  return {
    begin,
    of,
    end(request, status) {
      const record = of(request)
      const route = record.path.slice(0, MAX_ROUTE)
      const durationMs = monotonicNow() - record.startedAt
      onEnd(record, durationMs)
      const level = record.isOneOfMany ? 'debug' : levelOf(route, status)
      logger[level]('request', {
        request_id: record.requestId,
        method: request.method,
        route,
        status,
        duration_ms: Math.round(durationMs * 10) / 10,
        server_name: record.serverName?.slice(0, MAX_SERVER_NAME),
        access: record.access,
        event: record.event,
        room: record.room,
        identity: record.identity,
        outcome: record.outcome ?? 'ok',
        step: record.step,
        cause: record.cause?.slice(0, MAX_CAUSE),
        trouble: record.trouble,
      })
    },
  }
}
