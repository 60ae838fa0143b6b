import { metricsBind } from './http-parsers.ts'
import { logLevel, oneOf, seconds } from './parsers.ts'
import { setting } from './setting.ts'

/** Settings for whoever runs the service: logs, metrics, stopping. */
export const OPERATION_SETTINGS = {
  logLevel: setting({
    name: 'LIVEKIT_LOG_LEVEL',
    defaultText: 'info',
    meaning: 'the least important lines to log: "debug", "info", "warn" or "error"',
    details: `
How much is logged: "debug", "info", "warn" (or "warning") or "error", in any letter case.
Anything else means "info", with a warning. Requests that end with status 500 are logged as
"error", those with other 5xx as "warn", all others as "info". Requests for /healthz and /swagger
are logged as "debug", unless they fail.`,
    example: 'debug',
    parse: logLevel,
  }),
  logFormat: setting({
    name: 'LIVEKIT_LOG_FORMAT',
    defaultText: '"pretty" on a terminal, else "json"',
    meaning: 'how log lines look, "pretty" or "json"',
    details: `
How the lines of the log look: "pretty" for people, or "json" for programs, one object a line. The
log goes to standard output. Mistakes in the configuration go to standard error in the same
format; while this is not set, each of the two goes by whether it is a terminal.`,
    example: 'json',
    parse: oneOf('pretty', 'json'),
  }),
  metricsBind: setting({
    name: 'LIVEKIT_METRICS_BIND',
    defaultText: 'off',
    meaning:
      'a listener of its own for /metrics (Prometheus) and /readyz, such as ":9090"; never public; "off" ' +
      'for none',
    details: `
A second listener, for you alone: /metrics counts everything for Prometheus, /readyz says whether
this replica should get requests, /healthz whether the process is alive. Keep it away from the
internet. The forms are those of LIVEKIT_JWT_BIND, and the address must be another one. "off"
means none.`,
    example: ':9090',
    parse: metricsBind,
  }),
  shutdownDelaySeconds: setting({
    name: 'LIVEKIT_SHUTDOWN_DELAY_SECONDS',
    defaultText: '0',
    meaning:
      'how long requests are still taken after SIGTERM, so that load balancers can look elsewhere first',
    details: `
For how many seconds requests are still taken after SIGTERM or SIGINT, from 0 to 3600, while
/readyz says "unready" already: load balancers need that long to look elsewhere. On Kubernetes 5
is enough for most. Give the container engine a little more time to stop than this and
LIVEKIT_SHUTDOWN_GRACE_SECONDS together.`,
    example: '5',
    parse: seconds(0, 3_600),
  }),
  shutdownGraceSeconds: setting({
    name: 'LIVEKIT_SHUTDOWN_GRACE_SECONDS',
    defaultText: '10',
    meaning: 'how long requests in flight may finish after SIGTERM',
    details: `
For how many seconds requests in flight may finish before the service stops, from 0 to 3600. It
begins after LIVEKIT_SHUTDOWN_DELAY_SECONDS. The service stops sooner when nothing is in flight,
and at once at a second signal.`,
    example: '30',
    parse: seconds(0, 3_600),
  }),
}
