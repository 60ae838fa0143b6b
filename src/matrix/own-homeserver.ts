import type { CancellationSignal } from '../lib/cancellation.ts'
import { withDeadline } from '../lib/deadline.ts'
import { ExpiringCache } from '../lib/expiring-cache.ts'
import { type Gate, GateRefusal } from '../lib/gate.ts'
import { memberOf, parseJson } from '../lib/json.ts'
import type { Answer, Call } from '../net/bounded-fetch.ts'
import { AnswerTooLarge } from '../net/request-error.ts'
import { isRequestFailure } from '../net/request-failure.ts'
import type { ClientApiLocator } from './client-api-location.ts'
import type { RequestClientApi } from './client-api-request.ts'
import { VERSIONS_PATH } from './delayed-events.ts'
import { exchangeTrouble } from './exchange-trouble.ts'
import {
  HomeserverFailed,
  isJoinedPath,
  type JoinedMembers,
  type RelayedAnswer,
  readJoined,
  readMembers,
  readRelayed,
  relayPath,
  type Subject,
} from './own-homeserver-api.ts'

/** A request to another homeserver, sent by ours. */
export interface RelayedRequest {
  /** Server name. */
  readonly destination: string
  readonly path: string
  readonly body: object
}

/**
 * Our homeserver, asked as its application service. Every method throws {@link HomeserverFailed} when
 * there is no usable answer.
 */
export interface OwnHomeserver {
  /** Whether a user, or any user of a server, is joined to a room (MSC4502). */
  isJoined(roomId: string, subject: Subject, signal: CancellationSignal): Promise<boolean>
  /**
   * The joined members of a room.
   *
   * @see https://spec.matrix.org/latest/client-server-api/#get_matrixclientv3roomsroomidjoined_members
   */
  joinedMembers(roomId: string, signal: CancellationSignal): Promise<JoinedMembers>
  /** Has a request sent to another homeserver (MSC4512); ends only with it or with `signal`. */
  relay(request: RelayedRequest, signal: CancellationSignal): Promise<RelayedAnswer>
}

/** Settings of {@link createOwnHomeserver}. */
export interface OwnHomeserverOptions {
  /** Our homeserver's server name. */
  readonly serverName: string
  /** Secret; sent to this homeserver alone. */
  readonly asToken: string
  readonly locator: Pick<ClientApiLocator, 'locate'>
  readonly request: RequestClientApi
  /** Limits questions under way; relayed requests have {@link relayGate}, as others may be slow. */
  readonly gate: Gate
  readonly relayGate: Gate
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Timeout of a question. */
  readonly timeoutMs?: number | undefined
}

/** A room of tens of thousands. */
const MAX_MEMBERS_BYTES = 16 * 1024 * 1024
const VERSIONS_LIFETIME_MS = 3_600_000
const VERSIONS_RETRY_MS = 60_000
/** Longer than the homeserver waits for us, so that the caller's own deadline decides. */
const RELAY_MS = 30_000

const GIVEN_UP = { code: 'client-api.given-up', found: 'given up' } as const

function isUnrecognized({ status, body }: Answer): boolean {
  return status === 404 && memberOf(parseJson(body), 'errcode') === 'M_UNRECOGNIZED'
}

/** Creates {@link OwnHomeserver}. */
export function createOwnHomeserver(options: OwnHomeserverOptions): OwnHomeserver {
  const { serverName, asToken, locator, request, gate, relayGate, now } = options
  const { timeoutMs = 5_000 } = options
  const versions = new ExpiringCache<unknown>({ maxEntries: 1, now })

  async function locate(): Promise<string> {
    const location = await locator.locate(serverName)
    if (location.kind === 'found') return location.baseUrl
    throw new HomeserverFailed(location.trouble)
  }

  async function askVersions(baseUrl: string) {
    const answer = await withDeadline(timeoutMs / 2, undefined, (signal) => {
      return request(serverName, baseUrl, { method: 'GET', path: VERSIONS_PATH }, signal)
    })
    const json = answer.status === 200 ? parseJson(answer.body) : undefined
    if (json === undefined) return { value: undefined, ttlMs: VERSIONS_RETRY_MS }
    return { value: memberOf(json, 'unstable_features'), ttlMs: VERSIONS_LIFETIME_MS }
  }

  /** A homeserver that does not say is asked by the unstable paths. */
  async function hasFeature(baseUrl: string, name: string): Promise<boolean> {
    const features = await versions
      .get(baseUrl, () => askVersions(baseUrl))
      .catch((error: unknown) => {
        if (isRequestFailure(error)) return undefined
        throw error
      })
    return memberOf(features, name) === true
  }

  async function ask<T>(
    signal: CancellationSignal,
    work: (signal: CancellationSignal) => Promise<T>,
  ) {
    try {
      return await work(signal)
    } catch (error) {
      if (isRequestFailure(error) || error instanceof GateRefusal) {
        throw new HomeserverFailed(exchangeTrouble('client-api', error))
      }
      if (signal.aborted) throw new HomeserverFailed(GIVEN_UP)
      throw error
    }
  }

  function send(baseUrl: string, call: Call, signal: CancellationSignal): Promise<Answer> {
    return request(serverName, baseUrl, { ...call, accessToken: asToken }, signal)
  }

  function question<T>(
    outer: CancellationSignal,
    work: (signal: CancellationSignal) => Promise<T>,
  ): Promise<T> {
    return ask(outer, () => {
      return withDeadline(timeoutMs, outer, (cancellation) => {
        return gate.run({ key: serverName }, cancellation, work)
      })
    })
  }

  return {
    isJoined(roomId, subject, outer) {
      return question(outer, async (signal) => {
        const baseUrl = await locate()
        const isStable = await hasFeature(baseUrl, 'io.element.msc4502.stable')
        const path = isJoinedPath(roomId, subject, isStable)
        const answer = await send(baseUrl, { method: 'GET', path }, signal)
        // It may know the other path by now.
        if (isUnrecognized(answer)) versions.delete(baseUrl)
        return readJoined(answer)
      })
    },

    joinedMembers(roomId, outer) {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/joined_members`
      const call: Call = { method: 'GET', path, maxBodyBytes: MAX_MEMBERS_BYTES }
      return question(outer, async (signal) => {
        try {
          return readMembers(await send(await locate(), call, signal))
        } catch (error) {
          if (error instanceof AnswerTooLarge) return { kind: 'too-many' }
          throw error
        }
      })
    },

    relay({ destination, path, body }, outer) {
      const wrapped = JSON.stringify({ destination, method: 'POST', path, body })
      return ask(outer, async () => {
        const baseUrl = await locate()
        const isStable = await hasFeature(baseUrl, 'io.element.msc4512.stable')
        const call: Call = { method: 'POST', path: relayPath(isStable), body: wrapped }
        return withDeadline(RELAY_MS, outer, (cancellation) => {
          return relayGate.run({ key: destination }, cancellation, async (signal) => {
            return readRelayed(await send(baseUrl, call, signal))
          })
        })
      })
    },
  }
}
