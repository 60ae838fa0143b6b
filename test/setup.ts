/** Installs the Debian packages that the tests need, where they are missing. */

const PROGRAMS = {
  caddy: 'caddy',
  chromium: 'chromium',
  faketime: 'faketime',
  nginx: 'nginx',
  promtool: 'prometheus',
  readelf: 'binutils',
  'redis-server': 'redis-server',
  'systemd-analyze': 'systemd',
}

/** Users other than root may lack the folders of servers. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`

/**
 * Packages of servers start them on installation: `policy-rc.d` with status 101 forbids that. One
 * that is there already belongs to the machine and stays.
 */
const INSTALL = `
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
apt-get update
apt-get install -y --no-install-recommends "$@"
`

function missingPackages(): string[] {
  return Object.entries(PROGRAMS)
    .filter(([program]) => Bun.which(program, { PATH }) === null)
    .map(([, packageName]) => packageName)
}

/** The command that runs its arguments as root, or `undefined` when there is none. */
function rootCommand(): string[] | undefined {
  if (process.getuid?.() === 0) return []
  if (Bun.which('sudo') === null) return undefined
  const sudo = ['sudo', '-n']
  return Bun.spawnSync([...sudo, 'true'], { stderr: 'ignore' }).success ? sudo : undefined
}

function fail(problem: string, packages: readonly string[]): never {
  process.stderr.write(
    `The tests need the Debian packages ${packages.join(', ')}: ${problem}. Install them with\n` +
      `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}\n`,
  )
  process.exit(1)
}

function install(packages: readonly string[]): void {
  const asRoot = rootCommand()
  if (Bun.which('apt-get') === null) fail('there is no apt-get here', packages)
  if (asRoot === undefined) fail('neither root nor sudo without a password is at hand', packages)
  const { success } = Bun.spawnSync([...asRoot, 'sh', '-c', INSTALL, 'sh', ...packages], {
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
  })
  const stillMissing = missingPackages()
  if (!success || stillMissing.length > 0) fail('installing them failed', packages)
}

const packages = missingPackages()
if (packages.length > 0) install(packages)

export {}
