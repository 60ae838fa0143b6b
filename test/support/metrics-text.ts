import type { App } from '../../src/app.ts'

/** A sample of the Prometheus text format. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const SAMPLE = /^(\w+)(?:\{(.*)\})? (\S+)$/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** The answer to a scrape. */
export async function scrape(app: Pick<App, 'operation'>): Promise<string> {
  const response = await app.operation(new Request('http://localhost/metrics'))
  return response.text()
}

/** All samples of a scrape. */
export function samplesOf(text: string): readonly Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? []
      const pairs = [...labels.matchAll(LABEL)].map(([, label, text]) => [label, text])
      return { name, labels: Object.fromEntries(pairs), value: Number(value) }
    })
}

/** The names of all metrics of a scrape, those without samples included. */
export function metricNames(text: string): readonly string[] {
  return [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name = '']) => name)
}

/** The value of a series, labels in any order; `undefined` if there is none. */
export function sampleValue(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  return samplesOf(text).find((sample) => {
    return sample.name === name && Bun.deepEquals(sample.labels, labels)
  })?.value
}
