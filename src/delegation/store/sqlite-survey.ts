import { type Statements, toStored } from './sqlite-statements.ts'
import type { Stored, Survey } from './store.ts'
import { SAMPLE_SIZE, statesOf } from './survey.ts'

const RUNS = 20

/** Reads runs of rows from all over the table; between them requests get their turn. */
async function sample({ page, lastRow }: Statements, total: number): Promise<readonly Stored[]> {
  if (total <= SAMPLE_SIZE) return page.all(0, SAMPLE_SIZE).flatMap(toStored)
  const end = lastRow.get()?.id ?? 0
  const read: Stored[] = []
  for (let run = 0; run < RUNS; run += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    const start = Math.floor((end * run) / RUNS)
    read.push(...page.all(start, SAMPLE_SIZE / RUNS).flatMap(toStored))
  }
  return read
}

/** Counts what is in the table. */
export async function surveyRows(statements: Statements, now: number): Promise<Survey> {
  const { total, due } = statements.count.get(now) ?? { total: 0, due: 0 }
  const firstDueAt = statements.next.get()?.due_at ?? undefined
  return { total, due, firstDueAt, byState: statesOf(await sample(statements, total), total) }
}
