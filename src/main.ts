import { version } from '../package.json'
import { doctor } from './commands/doctor/doctor.ts'
import { example } from './commands/example.ts'
import { healthcheck } from './commands/healthcheck.ts'
import { help } from './commands/help.ts'
import { ALERTS_TEXT } from './commands/monitoring/alerts.ts'
import { dashboardText } from './commands/monitoring/dashboard.ts'
import { raiseRequestCap } from './commands/raise-request-cap.ts'
import { registration } from './commands/registration.ts'
import { serve } from './commands/serve.ts'

const { env } = process
const out = (text: string) => process.stdout.write(text)
const err = (text: string) => process.stderr.write(text)
const output = { out, err }

/** Runs a command that takes no arguments. */
async function runAlone(command: string): Promise<number> {
  switch (command) {
    case 'serve':
      raiseRequestCap(env)
      return serve(env, version)
    case 'healthcheck':
      return healthcheck(env, out)
    case 'dashboard':
      out(dashboardText())
      return 0
    case 'alerts':
      out(ALERTS_TEXT)
      return 0
    case '--version':
    case '-V':
      out(`jwt-service-ts ${version}\n`)
      return 0
    default:
      return refuse(`"${command}" is not a command`)
  }
}

async function runCommand(args: readonly string[]): Promise<number> {
  const [command = 'serve', ...rest] = args
  // Whoever reads the output of a command may have had enough of it; the service outlives its readers.
  if (command !== 'serve') process.stdout.on('error', () => process.exit())
  switch (command) {
    case 'registration':
      return registration(rest, env, output)
    case 'example':
      return example(rest, output)
    case 'doctor':
      return doctor(rest, env, output, { version, isTerminal: isTerminal() })
    case '--help':
    case '-h':
      return help(rest, output, version)
  }
  if (rest.length > 0) return refuse(`expected one command, found ${args.length}`)
  return runAlone(command)
}

function isTerminal(): boolean {
  return process.stdout.isTTY === true && process.stderr.isTTY === true
}

function refuse(mistake: string): number {
  err(`${mistake}; --help lists the commands\n`)
  return 2
}

function crash(error: unknown): number {
  err(`unexpected failure: ${error instanceof Error ? error.name : typeof error}\n`)
  return 1
}

runCommand(process.argv.slice(2))
  .catch(crash)
  .then((code) => process.exit(code))
