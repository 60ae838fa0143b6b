import caddy from './examples/caddy.conf' with { type: 'text' }
import compose from './examples/compose.yaml' with { type: 'text' }
import systemd from './examples/jwt-service.service' with { type: 'text' }
import kubernetes from './examples/kubernetes.yaml' with { type: 'text' }
import livekit from './examples/livekit.yaml' with { type: 'text' }
import nginx from './examples/nginx.conf' with { type: 'text' }
import synapse from './examples/synapse.yaml' with { type: 'text' }
import wellKnown from './examples/well-known.json' with { type: 'text' }
import type { CommandOutput } from './registration.ts'

/** A file to start from. */
interface Example {
  readonly holds: string
  readonly text: string
}

/** The files by the names that people ask for; all of them speak of the same servers. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  compose: { holds: 'compose.yaml: this service, LiveKit and Caddy', text: compose },
  livekit: { holds: 'livekit.yaml: what LiveKit needs', text: livekit },
  caddy: { holds: 'Caddyfile: the proxy in front of both', text: caddy },
  nginx: { holds: 'the same for nginx', text: nginx },
  kubernetes: { holds: 'Deployment and Service: two replicas with Redis', text: kubernetes },
  systemd: { holds: 'jwt-service.service: the binary without containers', text: systemd },
  synapse: { holds: 'what Synapse needs in homeserver.yaml', text: synapse },
  // The compiler reads a JSON file as the value in it, whatever it is imported as.
  'well-known': { holds: '/.well-known/matrix/client, for clients', text: String(wellKnown) },
}

function listOfExamples(): string {
  const width = Math.max(...Object.keys(EXAMPLES).map((name) => name.length))
  const lines = Object.entries(EXAMPLES).map(([name, { holds }]) => {
    return `  ${name.padEnd(width)}  ${holds}\n`
  })
  return `jwt-service example NAME prints one of\n${lines.join('')}Replace example.com by your server name.\n`
}

/**
 * The `example` command: prints a configuration file to start from, or without a name which ones there are.
 *
 * @param args - what follows the command
 * @returns the exit code: 2 for wrong arguments
 */
export function example(args: readonly string[], { out, err }: CommandOutput): number {
  const [name, ...rest] = args
  if (name === undefined) {
    out(listOfExamples())
    return 0
  }
  const found = Object.hasOwn(EXAMPLES, name) ? EXAMPLES[name] : undefined
  if (found === undefined || rest.length > 0) {
    err(
      `expected one name of ${Object.keys(EXAMPLES).join(', ')}; found ${JSON.stringify(args.join(' '))}\n`,
    )
    return 2
  }
  out(found.text)
  return 0
}
