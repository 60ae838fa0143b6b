/** What LiveKit says in its webhooks. */
export interface WebhookLog extends AsyncDisposable {
  readonly url: string
  /** How many connections were reported as ended because the same participant joined anew. */
  replaced(): number
}

interface WebhookEvent {
  readonly event: string
  readonly participant?: { readonly disconnectReason?: string }
}

/** Listens to the webhooks of a LiveKit server beside the service. */
export function logWebhooks(): WebhookLog {
  const events: WebhookEvent[] = []
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
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}
