import { expect } from 'bun:test'
import { ALERTS_TEXT } from '../../src/commands/monitoring/alerts.ts'
import { promtool } from '../support/promtool.ts'

/** Values a minute by series, in Prometheus's notation. */
export type Series = Readonly<Record<string, string>>

/** What is to fire at some minute, given some series. */
export interface Scenario {
  readonly series: Series
  readonly minute: number
  /** Labels of the alerts that fire then, beside the severity. */
  readonly firing: readonly Readonly<Record<string, string>>[]
}

/** A scenario with its name. */
export type Case = [what: string, scenario: Scenario]

/** What `promtool` says when all is as expected. */
export const fine = { code: 0, output: expect.stringContaining('SUCCESS') }

export const A = { job: 'a' }
export const A1 = { job: 'a', instance: '1' }

/** Names of series of job `a`, one for each replica where there are several. */
export const series = {
  created: 'jwt_service_sfu_calls_total{job="a",method="CreateRoom",outcome="ok"}',
  joined: 'jwt_service_delegation_transitions_total{job="a",from="waiting",to="connected"}',
  webhook: (instance: string) =>
    `jwt_service_webhooks_total{job="a",instance="${instance}",event="participant_joined"}`,
  verified: (server: string, outcome: string, step = 'userinfo', code = '') =>
    'jwt_service_verifications_total' +
    `{job="a",server="${server}",step="${step}",outcome="${outcome}",code="${code}"}`,
  overdue: (instance: string) =>
    `jwt_service_oldest_overdue_seconds{job="a",instance="${instance}"}`,
  storeUp: (instance: string) => `jwt_service_store_up{job="a",instance="${instance}"}`,
  lag: (part: 'sum' | 'count') =>
    `jwt_service_event_loop_lag_seconds_${part}{job="a",instance="1"}`,
  up: 'up{job="a",instance="1"}',
  build: 'jwt_service_build_info{job="a",instance="1",version="1",runtime="bun"}',
}

/** Has `promtool` run the rules on series, and compare. */
export function runRules(inputs: Series, expectations: object) {
  const input_series = Object.entries(inputs).map(([name, values]) => ({ series: name, values }))
  const scenario = { interval: '1m', input_series, ...expectations }
  const tests = { rule_files: ['rules.yml'], evaluation_interval: '1m', tests: [scenario] }
  const files = { 'rules.yml': ALERTS_TEXT, 'tests.yml': JSON.stringify(tests) }
  return promtool(['test', 'rules', 'tests.yml'], { files })
}

/** Checks whether an alert fires. */
export function check(alert: string, { series: inputs, minute, firing }: Scenario) {
  const common = { alertname: alert, alertstate: 'firing', severity: 'critical' }
  const exp_samples = firing.map((labels) => {
    const pairs = Object.entries({ ...common, ...labels }).map(
      ([name, text]) => `${name}="${text}"`,
    )
    return { labels: `ALERTS{${pairs.join(',')}}`, value: 1 }
  })
  const expr = `ALERTS{alertname="${alert}",alertstate="firing"}`
  return runRules(inputs, { promql_expr_test: [{ expr, eval_time: `${minute}m`, exp_samples }] })
}
