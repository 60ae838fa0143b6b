import { describe, expect, test } from 'bun:test'
import { ALERTS_TEXT } from '../../src/commands/monitoring/alerts.ts'
import { dashboardText } from '../../src/commands/monitoring/dashboard.ts'
import { createPrometheusMetrics } from '../../src/prometheus.ts'
import { startTestApp } from '../support/app.ts'
import { metricNames, scrape } from '../support/metrics-text.ts'
import { promtool } from '../support/promtool.ts'

/** The names of all metrics that the service has. */
async function namesServed(): Promise<readonly string[]> {
  await using running = await startTestApp({ metrics: createPrometheusMetrics('0.0.0-test') })
  return metricNames(await scrape(running.app))
}

/** The names of metrics in texts with PromQL. */
function namesIn(text: string): ReadonlySet<string> {
  const names = text.match(/\b(?:jwt_service|process)_\w+/g) ?? []
  return new Set(names.map((name) => name.replace(/_(bucket|sum|count)$/, '')))
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly description?: string
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } }
  readonly targets?: readonly { readonly expr: string }[]
}

const dashboard = JSON.parse(dashboardText()) as { panels: Panel[] }
const charts = dashboard.panels.filter(({ type }) => type !== 'row')
const queries = charts.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

describe('the dashboard', () => {
  test('shows every metric, and no other', async () => {
    const names = await namesServed()
    expect([...namesIn(queries.join('\n'))].sort()).toEqual([...names].sort())
  })

  test('has nothing but queries that Prometheus takes', async () => {
    const rules = queries.map((expr, index) => ({
      record: `r${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', 'a'),
    }))
    const files = { 'r.yml': JSON.stringify({ groups: [{ name: 'g', rules }] }) }
    expect(await promtool(['check', 'rules', 'r.yml'], { files })).toMatchObject({ code: 0 })
  })

  test('says of every chart what it shows, in which unit, from the chosen source', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    for (const { description = '', fieldConfig, ...panel } of charts) {
      expect(description).toMatch(/\.$/)
      expect(fieldConfig?.defaults.unit).toMatch(/^\w+$/)
      expect(panel).toMatchObject({ datasource: { type: 'prometheus', uid: '$datasource' } })
    }
    for (const query of queries) expect(query).toContain('{job=~"$job"')
  })

  test('uses the unit that the name of the metric says', () => {
    for (const { fieldConfig, targets = [] } of charts) {
      const unit = fieldConfig?.defaults.unit ?? ''
      const text = targets.map(({ expr }) => expr).join('\n')
      if (/quantile|overdue_seconds/.test(text)) expect(unit).toBe('s')
      if (/_bytes/.test(text)) expect(unit).toBe('bytes')
      if (/_total/.test(text)) expect(unit).toMatch(/^(reqps|ops|percentunit)$/)
    }
  })
})

test('the alerts use metrics that there are', async () => {
  const names = new Set(await namesServed())
  expect([...namesIn(ALERTS_TEXT)].filter((name) => !names.has(name))).toEqual([])
})
