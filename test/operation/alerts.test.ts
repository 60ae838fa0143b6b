import { expect, test } from 'bun:test'
import { ALERTS_TEXT } from '../../src/commands/monitoring/alerts.ts'
import { promtool } from '../support/promtool.ts'
import { A, A1, check, fine, runRules, series } from './alert-scenarios.ts'

interface Rule {
  readonly alert: string
  readonly annotations: { readonly description: string }
}

const { created, overdue, storeUp, verified, up, build } = series
const { groups } = Bun.YAML.parse(ALERTS_TEXT) as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)

test('promtool takes the rules', async () => {
  const files = { 'rules.yml': ALERTS_TEXT }
  expect(await promtool(['check', 'rules', 'rules.yml'], { files })).toEqual({
    code: 0,
    output: expect.stringContaining('SUCCESS: 5 rules found'),
  })
})

test('a scenario fails when something else happens than it says', async () => {
  const scenario = { series: { [storeUp('1')]: '0x10' }, minute: 5, firing: [] }
  expect((await check('JwtServiceStoreAway', scenario)).code).toBe(1)
})

test.each([
  ['JwtServiceWebhooksMissing', { [created]: '0+1x40' }, A, 'The SFU sends no webhooks to a', ''],
  ['JwtServiceWorkOverdue', { [overdue('1')]: '90x40' }, A, 'Work of a is 1m 30s behind', ''],
  [
    'JwtServiceStoreAway',
    { [storeUp('1')]: '0x40' },
    A1,
    'The state store of 1 does not answer',
    '',
  ],
  [
    'JwtServiceVerificationFailing',
    { [verified('named', 'failed')]: '0+2x40', [verified('named', 'ok')]: '0x40' },
    A,
    'a cannot verify users of your homeservers',
    '20',
  ],
  ['JwtServiceStuck', { [up]: '0x40', [build]: '1 _x40' }, A1, '1 is stuck, or gone', ''],
])('%s says what to do', async (alertname, inputs, labels, summary, value) => {
  const { description = '' } = rules.find((rule) => rule.alert === alertname)?.annotations ?? {}
  expect(description.length).toBeGreaterThan(200)
  const text = description.replace('{{ $value | humanize }}', value)
  const exp_annotations = { summary, description: text }
  const exp_alerts = [{ exp_labels: { severity: 'critical', ...labels }, exp_annotations }]
  const alert_rule_test = [{ eval_time: '30m', alertname, exp_alerts }]
  const found = await runRules(inputs, { alert_rule_test })
  expect(found).toEqual(fine)
})
