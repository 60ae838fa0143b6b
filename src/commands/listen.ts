import type { ListenCode } from '../catalogue/service-entries.ts'
import type { BindAddress } from '../config/http-parsers.ts'
import type { Setting } from '../config/setting.ts'
import { errorCode } from '../lib/error-code.ts'
import type { Logger } from '../log.ts'
import type { Trouble } from '../trouble.ts'

/** An open listener. */
export type Listener = Bun.Server<undefined>

type Fetch = (request: Request, server: Listener) => Response | Promise<Response>

const IDLE_TIMEOUT_SECONDS = 60
/** Off: `json-body.ts` limits bodies instead, and answers with a Matrix error. */
const MAX_REQUEST_BODY_BYTES = Number.MAX_SAFE_INTEGER

/** What the codes of the system mean. */
const FAILURES: Readonly<Record<string, readonly [ListenCode, string]>> = {
  EADDRINUSE: ['listen.port-in-use', 'the port is in use by another process'],
  EADDRNOTAVAIL: ['listen.no-such-address', 'this machine has no such address'],
  EACCES: ['listen.not-permitted', 'not permitted'],
}

function listen({ host, port }: BindAddress, fetch: Fetch): Listener {
  const options = {
    port,
    fetch,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    maxRequestBodySize: MAX_REQUEST_BODY_BYTES,
    development: false,
    // Otherwise a second instance would take half of the requests, and nobody would be told.
    reusePort: false,
  }
  if (host !== undefined) return Bun.serve({ ...options, hostname: host })
  try {
    return Bun.serve({ ...options, hostname: '::' })
  } catch (error) {
    // A machine without IPv6 has no such address.
    if (errorCode(error) === 'EADDRINUSE') throw error
    return Bun.serve({ ...options, hostname: '0.0.0.0' })
  }
}

/** As in `LIVEKIT_JWT_BIND`. */
function shownAddress({ host = '', port }: BindAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function troubleOf(error: unknown, setting: Pick<Setting<unknown>, 'name'>): Trouble<ListenCode> {
  const systemCode = errorCode(error)
  const [code, found] = FAILURES[systemCode] ?? ['listen.failed', systemCode]
  return { code, found, subject: setting.name }
}

/**
 * Listens at an address, or logs why not.
 *
 * @param setting - where the address is set
 */
export function openListener(
  setting: Pick<Setting<unknown>, 'name'>,
  bind: BindAddress,
  fetch: Fetch,
  logger: Logger,
): Listener | undefined {
  try {
    return listen(bind, fetch)
  } catch (error) {
    const trouble = troubleOf(error, setting)
    logger.error('cannot listen', { address: shownAddress(bind), trouble })
    return undefined
  }
}
