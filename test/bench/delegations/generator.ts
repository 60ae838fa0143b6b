import { CREDENTIALS } from '../../support/credentials.ts'
import { signWebhook } from '../../support/sfu-webhook.ts'
import { serveOrders } from '../child.ts'
import { exchangeOver, openSocket, postBytes } from '../http-socket.ts'
import { sharedNow } from './clock.ts'
import { delegateBody, leftBody } from './participants.ts'
import type { Seen } from './stand-ins.ts'

/** Requests for consecutive participants, no more than so many at a time and in a second. */
export interface GeneratorOrder {
  readonly kind: 'delegate' | 'leave'
  readonly port: number
  readonly first: number
  readonly count: number
  readonly connections: number
  readonly perSecond: number
  /** Of the delegations. */
  readonly delayMs: number
}

/** When each request was written, by the shared clock. */
export interface GeneratorReport {
  readonly written: readonly Seen[]
  /** The first thing that went wrong, if anything did. */
  readonly error?: string
}

function delegateRequest({ port, delayMs }: GeneratorOrder, index: number): string {
  return postBytes({ port, path: '/delegate_delayed_leave', body: delegateBody(index, delayMs) })
}

async function leaveRequest({ port }: GeneratorOrder, index: number): Promise<string> {
  const body = leftBody(index, Date.now())
  const headers = {
    'Content-Type': 'application/webhook+json',
    Authorization: await signWebhook(body, CREDENTIALS),
  }
  return postBytes({ port, path: '/sfu_webhook', headers, body })
}

async function run(order: GeneratorOrder): Promise<GeneratorReport> {
  const { kind, port, first, count, connections, perSecond } = order
  const requestOf = kind === 'delegate' ? delegateRequest : leaveRequest
  const written: Seen[] = []
  const startedAt = performance.now()
  let next = 0
  let error: string | undefined

  async function work(): Promise<void> {
    const socket = await openSocket(port)
    while (next < count && error === undefined) {
      const turn = next
      next += 1
      const request = await requestOf(order, first + turn)
      const waitMs = startedAt + (turn * 1_000) / perSecond - performance.now()
      if (waitMs > 0) await Bun.sleep(waitMs)
      written.push([first + turn, sharedNow()])
      const answer = await exchangeOver(socket, request)
      if (!answer.startsWith('HTTP/1.1 200 ')) error ??= answer.slice(0, 1_000)
    }
    socket.destroy()
  }

  const workers = Array.from({ length: connections }, () =>
    work().catch((cause: unknown) => {
      error ??= String(cause)
    }),
  )
  await Promise.all(workers)
  return { written, ...(error === undefined ? {} : { error }) }
}

serveOrders(run)
