import type { Homeserver } from '../../support/homeserver.ts'
import { type Answer, reply } from '../../support/misbehaviour.ts'

/** How a delayed event came to be sent. Times are milliseconds since the epoch. */
export interface Sent {
  readonly by: 'service' | 'timer'
  readonly at: number
}

/** One request of the service that acts on a delayed event. */
export interface EventCall {
  readonly delayId: string
  readonly action: 'restart' | 'send'
  readonly at: number
}

/** Decides about a call; `carryOut` does what it asks for and gives the true answer. */
export type CallHandler = (call: EventCall, carryOut: () => Answer) => Answer | Promise<Answer>

/** The delayed events of a homeserver, with timers that run out. */
export interface DelayedEvents {
  /** A client schedules an event. */
  schedule(delayId: string, delayMs: number): void
  /** The client cancels it. */
  cancel(delayId: string): void
  /** How it was sent, if it was. */
  sent(delayId: string): Sent | undefined
  /** Every call so far, carried out or not, of one event or of all. */
  calls(action: EventCall['action'], delayId?: string): EventCall[]
  /** When the event was restarted, in milliseconds since the epoch. */
  restarts(delayId: string): readonly number[]
  /** Calls go to `handler` from now on; without one they are carried out. */
  handle(handler?: CallHandler): void
  /** Told of every event at the moment at which it is sent. */
  onSent(listener: (delayId: string, sent: Sent) => void): void
  /** Stops all timers. */
  close(): void
}

interface Scheduled {
  readonly delayMs: number
  timer: ReturnType<typeof setTimeout> | undefined
  sent: Sent | undefined
  readonly restarts: number[]
}

const prefix = '/_matrix/client/unstable/org.matrix.msc4140/delayed_events/'
const done = reply(200, {})
const notFound = reply(404, { errcode: 'M_NOT_FOUND', error: 'Not found' })

/** Gives a homeserver delayed events. */
export function addDelayedEvents(homeserver: Homeserver): DelayedEvents {
  const events = new Map<string, Scheduled>()
  const calls: EventCall[] = []
  const listeners: ((delayId: string, sent: Sent) => void)[] = []
  let handle: CallHandler = (_, carryOut) => carryOut()

  function send(delayId: string, event: Scheduled, by: Sent['by']): void {
    clearTimeout(event.timer)
    event.timer = undefined
    event.sent = { by, at: Date.now() }
    for (const listener of listeners) listener(delayId, event.sent)
  }

  function startTimer(delayId: string, event: Scheduled): void {
    clearTimeout(event.timer)
    event.timer = setTimeout(() => send(delayId, event, 'timer'), event.delayMs)
  }

  function carryOut({ delayId, action }: EventCall): Answer {
    const event = events.get(delayId)
    if (event?.timer === undefined) return notFound
    if (action === 'send') send(delayId, event, 'service')
    else {
      event.restarts.push(Date.now())
      startTimer(delayId, event)
    }
    return done
  }

  homeserver.respond(`${prefix}*`, (request) => {
    const [delayId = '', action] = request.path.slice(prefix.length).split('/')
    const call: EventCall = {
      delayId: decodeURIComponent(delayId),
      action: action === 'send' ? 'send' : 'restart',
      at: request.at,
    }
    calls.push(call)
    return handle(call, () => carryOut(call))
  })

  return {
    schedule(delayId, delayMs) {
      const event: Scheduled = { delayMs, timer: undefined, sent: undefined, restarts: [] }
      events.set(delayId, event)
      startTimer(delayId, event)
    },
    cancel(delayId) {
      const event = events.get(delayId)
      clearTimeout(event?.timer)
      if (event !== undefined) event.timer = undefined
    },
    sent: (delayId) => events.get(delayId)?.sent,
    calls(action, delayId) {
      return calls.filter((call) => {
        return call.action === action && (delayId === undefined || call.delayId === delayId)
      })
    },
    restarts: (delayId) => events.get(delayId)?.restarts ?? [],
    handle(handler = (_, act) => act()) {
      handle = handler
    },
    onSent: (listener) => void listeners.push(listener),
    close() {
      for (const event of events.values()) clearTimeout(event.timer)
    },
  }
}
