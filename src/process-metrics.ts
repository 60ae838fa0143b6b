import { readdirSync } from 'node:fs'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

const LOOK_EVERY_MS = 500
const LAG_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5]

/** The number of open files and connections; on systems without `/proc` it is unknown. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return Number.NaN
  }
}

/** Notes how late timers fire: so long did requests have to wait for the processor at most. */
function watchEventLoop(histogram: Histogram): void {
  let expectedAt = performance.now() + LOOK_EVERY_MS
  const timer = setInterval(() => {
    const now = performance.now()
    histogram.observe(Math.max(0, now - expectedAt) / 1_000)
    expectedAt = now + LOOK_EVERY_MS
  }, LOOK_EVERY_MS)
  timer.unref()
}

/**
 * Registers metrics of the process. Those of the library's default set would be many more, of a runtime
 * that this is not, and some with names that the checker of Prometheus refuses.
 */
export function registerProcessMetrics(registry: Registry): void {
  const registers = [registry]
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'Start of the process, in seconds since the epoch.',
    registers,
  }).set(Math.round(Date.now() / 1_000 - process.uptime()))
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time of the process, user and system.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    },
  })
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
  new Gauge({
    name: 'process_open_fds',
    help: 'Open files and connections of the process.',
    registers,
    collect() {
      this.set(openFiles())
    },
  })
  watchEventLoop(
    new Histogram({
      name: 'jwt_service_event_loop_lag_seconds',
      help: 'How late a timer fired that looks twice a second; the service is stuck while it is high.',
      buckets: LAG_BUCKETS,
      registers,
    }),
  )
}
