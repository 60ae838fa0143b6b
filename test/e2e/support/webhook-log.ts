/** What LiveKit says in its webhooks. */
export interface WebhookLog extends AsyncDisposable {
  readonly url: string
  /** How many connections were reported as ended because the same participant joined anew. */
  replaced(): number
  /** How often a participant was reported as joined. */
  joins(participant: Participant): number
  /** Why each connection of a participant was reported as ended, those that never had media included. */
  departures(participant: Participant): readonly string[]
}

/** A participant of a LiveKit room. */
export interface Participant {
  readonly room: string
  readonly identity: string
}

interface WebhookEvent {
  readonly event: string
  readonly room?: { readonly name?: string }
  readonly participant?: { readonly identity?: string; readonly disconnectReason?: string }
}

/** Listens to the webhooks of a LiveKit server beside the service. */
export function logWebhooks(): WebhookLog {
  const events: WebhookEvent[] = []

  function eventsOf({ room, identity }: Participant, ...kinds: string[]): readonly WebhookEvent[] {
    return events.filter(
      ({ event, room: { name } = {}, participant }) =>
        kinds.includes(event) && name === room && participant?.identity === identity,
    )
  }

  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      events.push((await request.json()) as WebhookEvent)
      return new Response()
    },
  })
  return {
    url: server.url.href,
    replaced: () =>
      events.filter(({ event, participant }) => {
        return (
          event === 'participant_left' && participant?.disconnectReason === 'DUPLICATE_IDENTITY'
        )
      }).length,
    joins: (participant) => eventsOf(participant, 'participant_joined').length,
    departures: (participant) =>
      eventsOf(participant, 'participant_left', 'participant_connection_aborted').map(
        (event) => event.participant?.disconnectReason ?? '',
      ),
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}
