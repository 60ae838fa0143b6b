import type { Panel, Section } from './panel.ts'
import { STATE_SECTIONS } from './state-sections.ts'
import { TRAFFIC_SECTIONS } from './traffic-sections.ts'

/** Grafana's grid is 24 wide. */
const COLUMNS = 3
const WIDTH = 8
const HEIGHT = 8
const SCHEMA_VERSION = 39

const DATA_SOURCE = { type: 'prometheus', uid: '$datasource' } as const

const VARIABLES = [
  {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    refresh: 1,
  },
  {
    name: 'job',
    label: 'Job',
    type: 'query',
    datasource: DATA_SOURCE,
    query: { query: 'label_values(jwt_service_build_info, job)', refId: 'job' },
    refresh: 2,
    multi: true,
    includeAll: true,
  },
]

function rendered(panel: Panel, id: number, x: number, y: number) {
  const { title, description, unit, kind = 'timeseries', queries } = panel
  return {
    id,
    type: kind,
    title,
    description,
    datasource: DATA_SOURCE,
    gridPos: { x, y, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit, ...(unit !== 'dateTimeAsIso' && { min: 0 }) }, overrides: [] },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATA_SOURCE,
      expr,
      legendFormat: legend,
    })),
  }
}

function heading({ title }: Section, id: number, y: number) {
  const gridPos = { x: 0, y, w: COLUMNS * WIDTH, h: 1 }
  return { id, type: 'row', title, collapsed: false, gridPos, panels: [] }
}

/** All panels, each section from the left to the right under its heading. */
function panels(): readonly object[] {
  const all: object[] = []
  let y = 0
  for (const section of [...TRAFFIC_SECTIONS, ...STATE_SECTIONS]) {
    all.push(heading(section, all.length + 1, y))
    y += 1
    for (const [index, panel] of section.panels.entries()) {
      const row = Math.floor(index / COLUMNS)
      const column = index % COLUMNS
      all.push(rendered(panel, all.length + 1, column * WIDTH, y + row * HEIGHT))
    }
    y += Math.ceil(section.panels.length / COLUMNS) * HEIGHT
  }
  return all
}

/**
 * The `dashboard` command: a Grafana dashboard of all metrics, as JSON for Grafana's import.
 *
 * @see https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
 */
export function dashboardText(): string {
  const dashboard = {
    uid: 'jwt-service',
    title: 'jwt-service',
    description: 'LiveKit access tokens for Matrix users.',
    tags: ['matrix', 'livekit'],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    time: { from: 'now-6h', to: 'now' },
    refresh: '1m',
    templating: { list: VARIABLES },
    panels: panels(),
  }
  return `${JSON.stringify(dashboard, undefined, 2)}\n`
}
