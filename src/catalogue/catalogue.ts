import type { Trouble } from '../trouble.ts'
import { CONFIGURATION_ENTRIES } from './configuration-entries.ts'
import { DOCTOR_ENTRIES } from './doctor-entries.ts'
import { type Entry, filledIn } from './entry.ts'
import { HOMESERVER_ENTRIES } from './homeserver-entries.ts'
import { APPLICATION_SERVICE_ENTRIES, SERVICE_ENTRIES } from './service-entries.ts'
import { SFU_ENTRIES } from './sfu-entries.ts'

/** Everything that can go wrong, by code. A code that a lower layer knows and this lacks does not compile. */
export const CATALOGUE = {
  ...CONFIGURATION_ENTRIES,
  ...SFU_ENTRIES,
  ...HOMESERVER_ENTRIES,
  ...SERVICE_ENTRIES,
  ...APPLICATION_SERVICE_ENTRIES,
  ...DOCTOR_ENTRIES,
} satisfies Readonly<Record<string, Entry>>

/** The code of something that can go wrong. */
export type CauseCode = keyof typeof CATALOGUE

/** Whether the catalogue has an entry. */
export function isCauseCode(code: string): code is CauseCode {
  return Object.hasOwn(CATALOGUE, code)
}

/** What the operator can do about a trouble; `undefined` if nothing. */
export function remedyFor({ code, subject }: Trouble): string | undefined {
  const entry: Entry | undefined = isCauseCode(code) ? CATALOGUE[code] : undefined
  return entry?.remedy === undefined ? undefined : filledIn(entry.remedy, subject)
}
