import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import type { ServiceProcess } from '../support/service-process.ts'
import { until } from '../support/until.ts'
import type { HeapReport } from './heap-report.ts'

/** How much there is of each thing that must not grow, by its name. */
export type Levels = Readonly<Record<string, number>>

/** A replica whose levels are read, and where it is seen. */
export interface Watched {
  readonly service: ServiceProcess
  readonly metricsPort: number
  readonly redisPort: number
  /** Where it writes what is on its heap. */
  readonly heapFile: string
}

const REPORT_LIMIT_MS = 60_000
const ESTABLISHED = '01'

/** A busy machine may take its time. */
async function readHeap({ service, heapFile }: Watched): Promise<HeapReport> {
  rmSync(heapFile, { force: true })
  process.kill(service.pid, 'SIGUSR2')
  await until(() => existsSync(heapFile), REPORT_LIMIT_MS)
  return JSON.parse(readFileSync(heapFile, 'utf8')) as HeapReport
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    // Closed since the folder was listed.
    return ''
  }
}

function portOf(address: string | undefined): number {
  return Number.parseInt(address?.split(':')[1] ?? '', 16)
}

/** The connections among open files: in `/proc/net/tcp`, ports and states are in hex. */
function connectionsAmong(files: ReadonlySet<string>): { local: number; remote: number }[] {
  const lines = readFileSync('/proc/net/tcp', 'latin1').trim().split('\n').slice(1)
  return lines.flatMap((line) => {
    const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/)
    if (state !== ESTABLISHED || !files.has(`socket:[${inode}]`)) return []
    return [{ local: portOf(local), remote: portOf(remote) }]
  })
}

function readFiles({ service, metricsPort, redisPort }: Watched): Levels {
  const folder = `/proc/${service.pid}/fd`
  const files = new Set(readdirSync(folder).map((name) => targetOf(`${folder}/${name}`)))
  const connections = connectionsAmong(files)
  const accepted = connections.filter(({ local }) => [service.port, metricsPort].includes(local))
  const toRedis = connections.filter(({ remote }) => remote === redisPort)
  return {
    'files without connections': files.size - connections.length,
    'connections of clients': accepted.length,
    'connections to Redis': toRedis.length,
    'connections elsewhere': connections.length - accepted.length - toRedis.length,
  }
}

/** Reads all of it: objects of the heap by class, files and connections by their other end. */
export async function readLevels(watched: Watched): Promise<Levels> {
  const { objects, bytes } = await readHeap(watched)
  return { ...objects, 'KiB of the heap': Math.round(bytes / 1_024), ...readFiles(watched) }
}

/** Memory of a process that is no copy of a file, in MiB. */
export function anonymousMiB({ pid }: ServiceProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Math.round(Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1]) / 1_024)
}
