import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { LIMITS, SFU_OUTCOMES, TRANSITIONS, VERIFICATIONS, WEBHOOKS } from './metric-labels.ts'
import type { Metrics } from './metrics.ts'
import { registerProcessMetrics } from './process-metrics.ts'

const PREFIX = 'jwt_service_'
const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Creates {@link Metrics} for Prometheus. */
export function createPrometheusMetrics(version: string): Metrics {
  const registry = new Registry()
  const registers = [registry]

  function counter<L extends string>(name: string, help: string, labelNames: readonly L[]) {
    return new Counter({ name: PREFIX + name, help, labelNames: [...labelNames], registers })
  }
  function duration<L extends string>(name: string, help: string, labelNames: readonly L[]) {
    const buckets = SECONDS
    return new Histogram({
      name: PREFIX + name,
      help,
      labelNames: [...labelNames],
      buckets,
      registers,
    })
  }

  const requests = counter(
    'requests_total',
    'Requests answered; the outcome is "ok" or a Matrix error code.',
    ['route', 'outcome'],
  )
  const requestSeconds = duration(
    'request_duration_seconds',
    'Time from the arrival of a request to its answer.',
    ['route'],
  )
  const refusals = counter(
    'requests_refused_total',
    'Requests refused with 429, by the limit that was reached.',
    ['limit'],
  )
  const verifications = counter(
    'verifications_total',
    'OpenID tokens by the step that decided, and the code of the failure as in the log; "named" servers ' +
      'are in the settings; "refused" by the server.',
    ['server', 'step', 'outcome', 'code'],
  )
  const sfuCalls = counter(
    'sfu_calls_total',
    'Calls of the SFU\'s API; the outcome is "ok" or the SFU\'s error code.',
    ['method', 'outcome'],
  )
  const sfuSeconds = duration('sfu_call_duration_seconds', "Duration of calls of the SFU's API.", [
    'method',
  ])
  const webhooks = counter(
    'webhooks_total',
    'Webhooks received from the SFU; none at all means that it is not told where to send them.',
    ['event'],
  )
  const transitions = counter(
    'delegation_transitions_total',
    'Delegated leave events that changed their state, as seen by this replica.',
    ['from', 'to'],
  )
  const restarts = counter(
    'delegation_restarts_total',
    'Restarts of delayed events: in time, late by over 5 % of the delay, or failed.',
    ['outcome'],
  )
  const storeCalls = counter(
    'store_calls_total',
    'Operations of the state store, done or failed.',
    ['operation', 'outcome'],
  )
  const storeSeconds = duration(
    'store_call_duration_seconds',
    'Duration of operations of the state store.',
    ['operation'],
  )
  const checks = counter(
    'membership_checks_total',
    'Questions to the homeserver about members of Matrix rooms, by its answer.',
    ['purpose', 'answer'],
  )
  const removals = counter(
    'membership_removals_total',
    'Participants taken off the SFU, and rooms closed, as they had left the Matrix room.',
    ['what', 'outcome'],
  )
  const dropped = counter(
    'log_lines_dropped_total',
    'Log lines dropped because nobody read the log.',
    [],
  )
  new Gauge({
    name: `${PREFIX}build_info`,
    help: 'Always 1; the labels say which version runs.',
    labelNames: ['version', 'runtime'],
    registers,
  }).set({ version, runtime: `bun ${Bun.version}` }, 1)
  registerProcessMetrics(registry)

  // What begins at 1 shows no increase, and what is not there is not 0.
  for (const event of [...WEBHOOKS, 'other']) webhooks.inc({ event }, 0)
  for (const outcome of ['in-time', 'late', 'failed']) restarts.inc({ outcome }, 0)
  for (const limit of LIMITS) refusals.inc({ limit }, 0)
  for (const [from, to] of TRANSITIONS) transitions.inc({ from, to }, 0)
  for (const ending of VERIFICATIONS) verifications.inc({ server: 'named', ...ending }, 0)
  sfuCalls.inc({ method: 'CreateRoom', outcome: 'ok' }, 0)

  return {
    contentType: registry.contentType,
    noteRequest(route, outcome, seconds) {
      requests.inc({ route, outcome })
      requestSeconds.observe({ route }, seconds)
    },
    noteRefusal: (limit) => refusals.inc({ limit }),
    noteVerification(server, ending) {
      verifications.inc({ server, ...ending })
    },
    noteSfuCall(method, outcome, seconds) {
      sfuCalls.inc({ method, outcome: SFU_OUTCOMES.has(outcome) ? outcome : 'other' })
      sfuSeconds.observe({ method }, seconds)
    },
    noteWebhook: (event) => webhooks.inc({ event: WEBHOOKS.has(event) ? event : 'other' }),
    noteTransition: (from, to) => transitions.inc({ from, to }),
    noteRestart: (outcome) => restarts.inc({ outcome }),
    noteStoreCall(operation, isDone, seconds) {
      storeCalls.inc({ operation, outcome: isDone ? 'ok' : 'failed' })
      storeSeconds.observe({ operation }, seconds)
    },
    noteMembershipCheck: (purpose, answer) => checks.inc({ purpose, answer }),
    noteRemoval: (what, isDone) => removals.inc({ what, outcome: isDone ? 'ok' : 'failed' }),
    noteDroppedLines: (count) => dropped.inc(count),
    gauge({ name, help, label, read }) {
      const labelNames = label === undefined ? [] : [label]
      new Gauge({
        name: PREFIX + name,
        help,
        labelNames,
        registers,
        async collect() {
          this.reset()
          for (const [value, number] of Object.entries(await read())) {
            if (label === undefined) this.set(number)
            else this.set({ [label]: value }, number)
          }
        },
      })
    },
    render: () => registry.metrics(),
  }
}
