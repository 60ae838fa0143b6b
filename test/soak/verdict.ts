import type { Form } from './form.ts'
import { type Growth, tooMuch } from './growth.ts'
import type { Ledger } from './lives.ts'
import type { TokenStream } from './tokens.ts'

/** All that came of a soak. */
export interface Outcome {
  readonly ledger: Ledger
  readonly tokens: TokenStream
  /** What the soak itself ran into. */
  readonly failures: readonly unknown[]
  readonly growths: readonly Growth[]
  /** MiB under load after two fifths of the time, and when all was over. */
  readonly memory: { readonly early: number; readonly late: number }
  /** Work that was still there when nobody asked for anything any more. */
  readonly left: Readonly<Record<string, number>>
  readonly exitCodes: readonly number[]
}

/** Who leaves while a replica or Redis is away may have the timer run out. */
const BY_TIMER_SHARE = 0.02

function some(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`]
}

/** On a machine that has other things to do, these say nothing about the service. */
function timedComplaints({ ledger, memory }: Outcome): string[] {
  const byTimer = ledger.byTimer > ledger.lives * BY_TIMER_SHARE ? ledger.byTimer : 0
  const grown = memory.late > 1.3 * memory.early + 10 ? memory.late - memory.early : 0
  return [
    ...some(ledger.lateRestarts, 'leaves by the timer of somebody who was connected'),
    ...some(byTimer, 'leaves by the timer though the service had been told'),
    ...some(grown, 'MiB more memory than early'),
  ]
}

/** All that is wrong; nothing when the service is sound. */
export function complaintsAbout(outcome: Outcome, form: Form): readonly string[] {
  const { ledger, tokens, failures, growths, left, exitCodes } = outcome
  return [
    ...some(ledger.falseLeaves, 'leaves by the service of somebody who was connected'),
    ...some(ledger.lost, 'departures that were never announced'),
    ...some(ledger.notRemoved, 'members who were kicked and not taken off the SFU'),
    ...some(ledger.strange, 'answers that strangers may not get'),
    ...some(tokens.refused, 'tokens refused'),
    ...failures.map(String),
    ...tooMuch(growths).map(({ name, early, late }) => `${name} grew from ${early} to ${late}`),
    ...Object.entries(left).flatMap(([what, count]) => some(count, `${what} left`)),
    ...exitCodes.filter((code) => code !== 0).map((code) => `a replica ended with code ${code}`),
    ...(form.isTimed ? timedComplaints(outcome) : []),
  ]
}
