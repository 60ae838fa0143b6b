import type { CancellationSignal } from '../lib/cancellation.ts'
import { DeadlineExceeded, withDeadline } from '../lib/deadline.ts'
import { ExpiringCache } from '../lib/expiring-cache.ts'
import type { AddressClient } from './address-client.ts'
import type { Answer, Call } from './bounded-fetch.ts'
import { AddressChecks, type AddressPolicy, isAddress } from './networks.ts'
import { RequestError } from './request-error.ts'
import {
  type FailedAttempt,
  problemOf,
  type RequestFailure,
  UnreachableError,
} from './request-failure.ts'
import { DnsError, type Resolver } from './resolver.ts'

/** Where to connect for a server, and as whom. */
export interface Target {
  /** Host to open the TCP connection to: a DNS name or an IP literal, never bracketed. */
  readonly host: string
  /** 1 to 65535. */
  readonly port: number
  /** Name that the certificate must be valid for: a DNS name or an IP literal, never bracketed. */
  readonly tlsServerName: string
  /** Value of the `Host` header. */
  readonly hostHeader: string
}

/** Sends HTTPS requests, only to addresses that the policy permits. */
export interface TargetClient {
  /**
   * Checks, without connecting, that a target has a permitted address.
   *
   * @throws {UnreachableError} when it has none
   */
  check(target: Target, policy: AddressPolicy): Promise<void>
  /**
   * Sends a request to the first of `targets` that can be connected to.
   *
   * @throws {UnreachableError} when none can be connected to
   * @throws {RequestError} when one gave no usable answer
   * @throws {DeadlineExceeded} when `signal` fired because of a timeout
   */
  request(
    targets: readonly Target[],
    call: Call,
    policy: AddressPolicy,
    signal: CancellationSignal,
  ): Promise<Answer>
}

/** Settings of {@link createTargetClient}. */
export interface TargetClientOptions {
  readonly resolver: Resolver
  /** Sends a request to one address. */
  readonly send: AddressClient
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Timeout per address while others are left to try. */
  readonly attemptMs?: number | undefined
}

/** Limits the connections that one request causes, however many addresses a name has. */
const MAX_ATTEMPTS = 6
/** Leaves attempts for the next target when the addresses of one are dead. */
const MAX_PER_TARGET = 3
const REMEMBER_FAILURE_MS = 60_000
const REMEMBERED_FAILURES = 10_000

/** Failures are remembered per name and address: another server may share the address. */
function failureKey(address: string, { port, tlsServerName }: Target): string {
  return `${address} ${port} ${tlsServerName}`
}

interface Attempt {
  readonly address: string
  readonly target: Target
  readonly call: Call
}

interface Attempts {
  readonly failures: FailedAttempt[]
  readonly denied: string[]
  left: number
}

function peerOf({ address, target: { host, port } }: Attempt): string {
  return `${host} at ${address} port ${port}`
}

/** Neither the headers nor the peer are made unless somebody asks. */
function withPeer(answer: Answer, tried: Attempt): Answer {
  return {
    status: answer.status,
    body: answer.body,
    get headers() {
      return answer.headers
    },
    get peer() {
      return peerOf(tried)
    },
  }
}

/** Creates a client that connects to exactly the address that it checked (no DNS rebinding). */
export function createTargetClient(options: TargetClientOptions): TargetClient {
  const { resolver, send, now, attemptMs = 3_000 } = options
  const checks = new AddressChecks()
  const failedLately = new ExpiringCache<true>({ maxEntries: REMEMBERED_FAILURES, now })

  async function addressesOf({ host }: Target, attempts: Attempts): Promise<readonly string[]> {
    if (isAddress(host)) return [host]
    try {
      const addresses = await resolver.addresses(host)
      if (addresses.length === 0) {
        attempts.failures.push({ problem: 'no-address', text: `${host}: has no address` })
      }
      return addresses
    } catch (error) {
      if (!(error instanceof DnsError)) throw error
      attempts.failures.push({ problem: 'dns-failed', text: `${host}: ${error.message}` })
      return []
    }
  }

  function permitted(addresses: readonly string[], policy: AddressPolicy, attempts: Attempts) {
    return addresses.filter((address) => {
      const network = checks.denyingNetwork(address, policy)
      if (network === undefined) return true
      attempts.denied.push(address)
      const text = `address ${address} is denied by ${network.cidr}`
      attempts.failures.push({ problem: 'denied-address', text })
      return false
    })
  }

  function healthyFirst(addresses: readonly string[], target: Target): readonly string[] {
    if (addresses.length < 2) return addresses
    const failed = (address: string) => Number(failedLately.has(failureKey(address, target)))
    return addresses.toSorted((a, b) => failed(a) - failed(b))
  }

  function request({ address, target, call }: Attempt, signal: CancellationSignal) {
    const { port, tlsServerName, hostHeader } = target
    return send({ address, port, tlsServerName, hostHeader }, call, signal)
  }

  /** Returns `undefined` if the next address should be tried. */
  async function attempt(
    tried: Attempt,
    attempts: Attempts,
    signal: CancellationSignal,
    limitMs: number | undefined,
  ): Promise<Answer | undefined> {
    const { address, target } = tried
    attempts.left -= 1
    try {
      if (limitMs === undefined) return await request(tried, signal)
      return await withDeadline(limitMs, signal, (inner) => request(tried, inner))
    } catch (error) {
      signal.throwIfAborted()
      const elsewhere = error instanceof RequestError && error.scope === 'this address'
      if (!elsewhere && !(error instanceof DeadlineExceeded)) throw error
      failedLately.put(failureKey(address, target), true, REMEMBER_FAILURE_MS)
      const text = `${peerOf(tried)}: ${error.message}`
      attempts.failures.push({ problem: problemOf(error as RequestFailure), text })
      return undefined
    }
  }

  return {
    async check(target, policy) {
      const attempts: Attempts = { failures: [], denied: [], left: 0 }
      const addresses = permitted(await addressesOf(target, attempts), policy, attempts)
      if (addresses.length > 0) return
      throw new UnreachableError(attempts.failures, attempts.denied)
    },
    async request(targets, call, policy, signal) {
      const attempts: Attempts = { failures: [], denied: [], left: MAX_ATTEMPTS }
      for (const [index, target] of targets.entries()) {
        const addresses = permitted(await addressesOf(target, attempts), policy, attempts)
        signal.throwIfAborted()
        const most = Math.min(attempts.left, MAX_PER_TARGET)
        const ordered = healthyFirst(addresses, target).slice(0, most)
        for (const address of ordered) {
          const isLastOfAll = index === targets.length - 1 && address === ordered.at(-1)
          // The last address gets all the time that is left.
          const limitMs = isLastOfAll || attempts.left === 1 ? undefined : attemptMs
          const tried = { address, target, call }
          const answer = await attempt(tried, attempts, signal, limitMs)
          if (answer !== undefined) return withPeer(answer, tried)
        }
      }
      throw new UnreachableError(attempts.failures, attempts.denied)
    },
  }
}
