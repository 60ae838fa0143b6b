/**
 * Asks the registry for known vulnerabilities of the dependencies; fails on severe ones. A registry that
 * has no such service is no failure.
 */

const { exitCode, stdout, stderr } = Bun.spawnSync(
  [process.execPath, 'audit', '--audit-level=high'],
  { cwd: `${import.meta.dir}/../..` },
)
const [error] = /^error: .*/m.exec(stderr.toString()) ?? []
if (error === undefined) {
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  process.exitCode = exitCode
} else {
  process.stdout.write(`Not audited, since the registry did not answer the question: ${error}\n`)
}

export {}
