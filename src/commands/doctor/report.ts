import { CATALOGUE, type CauseCode, remedyFor } from '../../catalogue/catalogue.ts'
import type { Trouble } from '../../trouble.ts'

/** What was looked at, in the order in which it is. */
export const STEPS = [
  'configuration',
  'sfu',
  'signalling',
  'access',
  'well-known',
  'addresses',
  'connection',
  'federation',
  'openid',
  'client-api',
  'delayed-events',
  'transports',
  'homeserver',
  'state',
  'service',
  'webhooks',
] as const

/** One of {@link STEPS}. */
export type Step = (typeof STEPS)[number]

/** How well it is. `skipped` depends on a step with a problem, or was not asked for. */
export type Level = 'ok' | 'warning' | 'problem' | 'skipped'

/** One line of what the doctor has to say; stable, as machines read it too. */
export interface Finding {
  readonly step: Step
  readonly level: Level
  /** What was found and where, for people. */
  readonly found: string
  /** For warnings and problems: the entry of the catalogue. */
  readonly code?: CauseCode
  /** What the code means, as a sentence. */
  readonly sentence?: string
  readonly remedy?: string
}

/** Takes findings as they are made. */
export interface Report {
  ok(step: Step, found: string): void
  warning(step: Step, trouble: Trouble<CauseCode>): void
  problem(step: Step, trouble: Trouble<CauseCode>): void
  /** @param why - on what it depends */
  skipped(step: Step, why: string): void
  /** Says what is being looked at, for people who wait. */
  progress(what: string): void
  readonly findings: readonly Finding[]
}

/** Where findings go as they are made. */
export interface ReportOutput {
  readonly onFinding: (finding: Finding) => void
  readonly onProgress: (what: string) => void
}

/** Other servers choose names and URLs; as much as a line of the log has. */
const MAX_FOUND = 1_000

/** Shorter ones would hide words that are no secrets; no real token is. */
const MIN_SECRET = 8

/**
 * Creates {@link Report}.
 *
 * @param secrets - what must not be shown even if whoever was sent it repeats it
 */
export function createReport(
  { onFinding, onProgress }: ReportOutput,
  secrets: readonly (string | undefined)[] = [],
): Report {
  const hidden = secrets.filter((secret) => secret !== undefined && secret.length >= MIN_SECRET)
  const findings: Finding[] = []

  function withoutSecrets(text: string): string {
    return hidden.reduce<string>((shown, secret = '') => shown.replaceAll(secret, '(secret)'), text)
  }

  function add(whole: Finding): void {
    // In this order: a secret that is cut is not recognised.
    const found = withoutSecrets(whole.found).slice(0, MAX_FOUND)
    const finding = { ...whole, found }
    findings.push(finding)
    onFinding(finding)
  }

  function addTrouble(step: Step, level: 'warning' | 'problem', trouble: Trouble<CauseCode>): void {
    const { code, found } = trouble
    const { sentence } = CATALOGUE[code]
    const remedy = remedyFor(trouble)
    add({ step, level, found, code, sentence, ...(remedy !== undefined && { remedy }) })
  }

  return {
    ok: (step, found) => add({ step, level: 'ok', found }),
    warning: (step, trouble) => addTrouble(step, 'warning', trouble),
    problem: (step, trouble) => addTrouble(step, 'problem', trouble),
    skipped: (step, why) => add({ step, level: 'skipped', found: why }),
    progress: (what) => onProgress(withoutSecrets(what)),
    findings,
  }
}
