import { visibleJson, visibleText } from '../../visible-text.ts'
import type { CommandOutput } from '../registration.ts'
import type { Finding, Level, ReportOutput } from './report.ts'

const MARKS: Readonly<Record<Level, string>> = {
  ok: 'ok     ',
  warning: 'WARNING',
  problem: 'PROBLEM',
  skipped: 'skipped',
}
const STEP_WIDTH = 14
const INDENT = ' '.repeat(MARKS.ok.length + STEP_WIDTH + 3)

/** Other servers choose URLs; a longer line would wrap, and stay. */
const MAX_PROGRESS = 70

/** A finding as lines of text. */
export function findingText({ step, level, found, code, sentence, remedy }: Finding): string {
  const first = `${MARKS[level]}  ${step.padEnd(STEP_WIDTH)} ${visibleText(found)}\n`
  if (code === undefined) return first
  const help = remedy === undefined ? '' : `${INDENT}-> ${visibleText(remedy)}\n`
  return `${first}${INDENT}${sentence} [${code}]\n${help}`
}

/** Writes findings for people, as they are made. */
export function textOutput({ out, err }: CommandOutput, isTerminal: boolean): ReportOutput {
  const clear = isTerminal ? '\r\u001b[K' : ''
  return {
    onFinding: (finding) => {
      if (isTerminal) err(clear)
      out(findingText(finding))
    },
    onProgress: (what) => {
      if (isTerminal) err(`${clear}... ${visibleText(what).slice(0, MAX_PROGRESS)}`)
    },
  }
}

function count(findings: readonly Finding[], level: Level): number {
  return findings.filter((finding) => finding.level === level).length
}

/** The last line for people. */
export function summaryText(findings: readonly Finding[]): string {
  const problems = count(findings, 'problem')
  const warnings = count(findings, 'warning')
  const skipped = count(findings, 'skipped')
  const others = `warnings: ${warnings}, skipped: ${skipped}.\n`
  return problems === 0 ? `No problem found; ${others}` : `Problems: ${problems}, ${others}`
}

/** All findings for machines: one JSON object. */
export function jsonText(findings: readonly Finding[], version: string): string {
  const problems = count(findings, 'problem')
  const warnings = count(findings, 'warning')
  const json = JSON.stringify({ version, problems, warnings, findings }, undefined, 2)
  return `${visibleJson(json)}\n`
}
