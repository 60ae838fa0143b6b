/**
 * Loaded into a replica of the soak before the service (`BUN_OPTIONS=--preload=…`): at each SIGUSR2 it
 * counts what is on the JavaScript heap, by class, and writes that to the file that `SOAK_HEAP_FILE`
 * names. The service itself knows nothing of it.
 */

import { renameSync, writeFileSync } from 'node:fs'

/** What is left on the heap after a collection. */
export interface HeapReport {
  readonly objects: Readonly<Record<string, number>>
  readonly bytes: number
}

/** A node of the snapshot is its ID, size, class and flags. */
const NODE_FIELDS = 4
/** What the collector lets go of may hold others by handles that are closed only in later turns. */
const FINALISE_MS = 100

async function countHeap(): Promise<HeapReport> {
  Bun.gc(true)
  await Bun.sleep(FINALISE_MS)
  Bun.gc(true)
  const { nodes, nodeClassNames } = Bun.generateHeapSnapshot()
  const objects: Record<string, number> = {}
  let bytes = 0
  for (let at = 0; at < nodes.length; at += NODE_FIELDS) {
    const name = nodeClassNames[nodes[at + 2] ?? 0] ?? '?'
    objects[name] = (objects[name] ?? 0) + 1
    bytes += nodes[at + 1] ?? 0
  }
  return { objects, bytes }
}

const { SOAK_HEAP_FILE = '' } = process.env

process.on('SIGUSR2', () => {
  countHeap().then((report) => {
    // Whoever waits for the file must not read half of it.
    writeFileSync(`${SOAK_HEAP_FILE}.part`, JSON.stringify(report))
    renameSync(`${SOAK_HEAP_FILE}.part`, SOAK_HEAP_FILE)
  })
})
