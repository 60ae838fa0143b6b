import { version } from '../package.json'
import { example } from './commands/example.ts'
import { healthcheck } from './commands/healthcheck.ts'
import { ALERTS_TEXT } from './commands/monitoring/alerts.ts'
import { dashboardText } from './commands/monitoring/dashboard.ts'
import { raiseRequestCap } from './commands/raise-request-cap.ts'
import { registration } from './commands/registration.ts'
import { serve } from './commands/serve.ts'
import { helpText, settingHelp } from './config/help.ts'
import { noteLine } from './config/reader.ts'

const write = (text: string) => process.stdout.write(text)
const writeError = (text: string) => process.stderr.write(text)

async function runCommand(args: readonly string[]): Promise<number> {
  const [command = 'serve', ...rest] = args
  if (command === 'registration') {
    return registration(rest, process.env, { out: write, err: writeError })
  }
  if (command === '--help' || command === '-h') return help(rest)
  if (command === 'example') return example(rest, { out: write, err: writeError })
  if (rest.length > 0) return refuse(`expected one command, found ${args.length}`)
  switch (command) {
    case 'serve':
      raiseRequestCap(process.env)
      return serve(process.env, version)
    case 'healthcheck':
      return healthcheck(process.env, write)
    case 'dashboard':
      write(dashboardText())
      return 0
    case 'alerts':
      write(ALERTS_TEXT)
      return 0
    case '--version':
    case '-V':
      write(`jwt-service-ts ${version}\n`)
      return 0
    default:
      return refuse(`"${command}" is no command`)
  }
}

/** Explains one setting, or lists all of them. */
function help(names: readonly string[]): number {
  const [name] = names
  if (names.length > 1) return refuse(`expected one setting, found ${names.length}`)
  if (name === undefined) {
    write(helpText(version))
    return 0
  }
  const about = settingHelp(name)
  if ('text' in about) {
    write(about.text)
    return 0
  }
  writeError(`${noteLine(about.unknown)} (--help lists all settings)\n`)
  return 2
}

function refuse(mistake: string): number {
  writeError(`${mistake}; --help lists the commands\n`)
  return 2
}

function crash(error: unknown): number {
  writeError(`unexpected failure: ${error instanceof Error ? error.name : typeof error}\n`)
  return 1
}

runCommand(process.argv.slice(2))
  .catch(crash)
  .then((code) => process.exit(code))
