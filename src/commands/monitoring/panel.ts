/** Units of Grafana that the dashboard uses. */
export type Unit = 's' | 'reqps' | 'ops' | 'short' | 'bytes' | 'percentunit' | 'dateTimeAsIso'

/** A query, and how its series are called. */
export interface Query {
  /** PromQL, with the dashboard's variable `$job`. */
  readonly expr: string
  /** Template such as `{{route}}`. */
  readonly legend: string
}

/** A chart, or for `stat` the latest values. */
export interface Panel {
  readonly title: string
  /** For somebody who has never seen the service. */
  readonly description: string
  readonly unit: Unit
  readonly kind?: 'timeseries' | 'stat'
  readonly queries: readonly Query[]
}

/** Panels under one heading. */
export interface Section {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** Selects one service. */
function selected(metric: string, filter: string): string {
  return `${metric}{job=~"$job"${filter === '' ? '' : `,${filter}`}}`
}

/** A second's increase of a counter, by labels. */
export function perSecond(metric: string, by: readonly string[], filter = ''): Query {
  const rate = `rate(${selected(metric, filter)}[$__rate_interval])`
  const legend = by.length === 0 ? 'all' : by.map((label) => `{{${label}}}`).join(' ')
  return { expr: `sum by (${by.join(', ')}) (${rate})`, legend }
}

/** The median and the 99th percentile of a histogram, by a label if one is given. */
export function percentiles(histogram: string, by: readonly string[] = []): readonly Query[] {
  const labels = ['le', ...by].join(', ')
  const buckets = `rate(${selected(`${histogram}_bucket`, '')}[$__rate_interval])`
  const legend = by.map((label) => ` {{${label}}}`).join('')
  return [0.5, 0.99].map((share) => ({
    expr: `histogram_quantile(${share}, sum by (${labels}) (${buckets}))`,
    legend: `p${share * 100}${legend}`,
  }))
}

/** The greatest of what the replicas say, by a label. */
export function greatest(metric: string, by: string, legend = `{{${by}}}`): Query {
  return { expr: `max by (${by}) (${selected(metric, '')})`, legend }
}
