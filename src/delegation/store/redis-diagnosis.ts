import { connect, isIP, type Socket } from 'node:net'
import { connect as connectByTls } from 'node:tls'
import { errorCode } from '../../lib/error-code.ts'
import { connectionProblem } from '../../net/request-error.ts'
import type { Trouble } from '../../trouble.ts'
import type { StoreCode } from './store.ts'

const DEFAULT_PORT = 6_379
/** Longer than any reply to what is asked here. */
const MAX_REPLY = 1_024
/** How a server that expects TLS begins to refuse whoever does not speak it. */
const TLS_ALERT = '\x15\x03'

type Found = Trouble<StoreCode>

/** A conversation with Redis, one reply to each command. */
interface Conversation {
  /** @throws {Error} with a code when the connection fails or ends, or nothing comes in time */
  ask(...words: readonly string[]): Promise<string>
  end(): void
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

function converse(socket: Socket, timeoutMs: number): Conversation {
  let received = ''
  let failed: Error | undefined
  let waiting: PromiseWithResolvers<string> | undefined

  function settle(): void {
    const end = received.indexOf('\r\n')
    if (end >= 0 || received.length >= MAX_REPLY || received.startsWith(TLS_ALERT)) {
      waiting?.resolve(end < 0 ? received : received.slice(0, end))
      received = ''
    } else if (failed !== undefined) waiting?.reject(failed)
  }
  function fail(error: Error): void {
    failed ??= error
    clearTimeout(timer)
    socket.destroy()
    settle()
  }
  const timer = setTimeout(() => fail(failure('SILENT')), timeoutMs)
  socket.on('error', fail)
  socket.on('close', () => fail(failure('ConnectionClosed')))
  socket.on('data', (part: Buffer) => {
    received += part.toString('latin1', 0, MAX_REPLY)
    settle()
  })
  return {
    ask(...words) {
      const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
      waiting = Promise.withResolvers()
      if (failed === undefined) socket.write(`*${words.length}\r\n${parts.join('')}`)
      settle()
      return waiting.promise
    },
    end: () => fail(failure('ConnectionClosed')),
  }
}

function isCertificateOrTls(problem: string): boolean {
  return problem === 'tls-failed' || problem.startsWith('certificate-')
}

function connectionTrouble(error: unknown, url: URL, timeoutMs: number): Found {
  const isTls = url.protocol === 'rediss:'
  if (errorCode(error) === 'SILENT') {
    const found = `no answer within ${timeoutMs / 1_000} s`
    return isTls
      ? { code: 'store.redis-tls', found: `${found} to the beginning of TLS` }
      : { code: 'store.redis-silent', found }
  }
  const [problem, text] = connectionProblem(error)
  return {
    code: isCertificateOrTls(problem) ? 'store.redis-tls' : 'store.redis-unreachable',
    found: text,
  }
}

/** What is wrong with the password, by the reply to the first command of nobody in particular. */
async function lookAtPassword(
  url: URL,
  conversation: Conversation,
  greeting: string,
): Promise<Found | undefined> {
  const user = decodeURIComponent(url.username)
  const password = decodeURIComponent(url.password)
  if (password === '') {
    if (!greeting.startsWith('-NOAUTH')) return undefined
    return { code: 'store.redis-password', found: 'it asks for a password, and none is set' }
  }
  const reply = await conversation.ask('AUTH', ...(user === '' ? [] : [user]), password)
  if (reply.startsWith('+')) return undefined
  const found = reply.startsWith('-WRONGPASS')
    ? 'it does not accept the user name or the password'
    : 'it does not ask for a password, and one is set'
  return { code: 'store.redis-password', found }
}

async function lookAtDatabase(url: URL, conversation: Conversation): Promise<Found | undefined> {
  const database = url.pathname.slice(1)
  if (database === '') return undefined
  const reply = await conversation.ask('SELECT', database)
  if (!reply.startsWith('-ERR')) return undefined
  return { code: 'store.redis-database', found: `it has no database ${database}` }
}

async function look(url: URL, conversation: Conversation): Promise<Found | undefined> {
  const greeting = await conversation.ask('PING')
  if (greeting.startsWith(TLS_ALERT)) {
    return {
      code: 'store.redis-tls',
      found: 'it speaks TLS, and the URL does not begin with "rediss"',
    }
  }
  if (!/^(?:\+PONG$|-[A-Z]+ )/.test(greeting)) {
    return { code: 'store.redis-unreachable', found: 'what answers is not Redis' }
  }
  if (greeting.startsWith('-DENIED')) {
    return {
      code: 'store.redis-password',
      found: 'it is in protected mode, since it has no password',
    }
  }
  return (
    (await lookAtPassword(url, conversation, greeting)) ?? (await lookAtDatabase(url, conversation))
  )
}

/** Host and port of a URL of Redis. */
export function placeOf({ hostname, port }: URL): string {
  return `${hostname}:${port || DEFAULT_PORT}`
}

/**
 * Finds out why a connection to Redis cannot be made, since the runtime's client does not tell: it asks as the
 * client does, over a connection of its own.
 *
 * @param url - with credentials, which are in no answer
 * @param timeoutMs - for all of it
 * @returns `undefined` if nothing is wrong that can be found so
 */
export async function diagnoseRedis(url: URL, timeoutMs: number): Promise<Found | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || DEFAULT_PORT)
  const socket =
    url.protocol === 'rediss:'
      ? connectByTls({ host, port, ...(isIP(host) === 0 && { servername: host }) })
      : connect({ host, port })
  const conversation = converse(socket, timeoutMs)
  try {
    return at(url, await look(url, conversation))
  } catch (error) {
    return at(url, connectionTrouble(error, url, timeoutMs))
  } finally {
    conversation.end()
  }
}

function at(url: URL, trouble: Found | undefined): Found | undefined {
  return trouble && { ...trouble, found: `${trouble.found}, at ${placeOf(url)}` }
}
