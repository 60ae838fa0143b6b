import { type Statements, toStored } from './sqlite-statements.ts'
import type { Stored, Survey } from './store.ts'
import { SAMPLE_SIZE, statesOf } from './survey.ts'

const RUNS = 20

/** Runs of rows from all over the table. */
function sample({ page, lastRow }: Statements, total: number): Stored[] {
  if (total <= SAMPLE_SIZE) return page.all(0, SAMPLE_SIZE).flatMap(toStored)
  const end = lastRow.get()?.id ?? 0
  const starts = Array.from({ length: RUNS }, (_, run) => Math.floor((end * run) / RUNS))
  return starts.flatMap((start) => page.all(start, SAMPLE_SIZE / RUNS)).flatMap(toStored)
}

/** Counts what is in the table. */
export function surveyRows(statements: Statements, now: number): Survey {
  const { total, due } = statements.count.get(now) ?? { total: 0, due: 0 }
  const firstDueAt = statements.next.get()?.due_at ?? undefined
  return { total, due, firstDueAt, byState: statesOf(sample(statements, total), total) }
}
