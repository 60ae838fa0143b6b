import { readFileSync } from 'node:fs'

const PT_LOAD = 1
const PT_DYNAMIC = 2
const PT_INTERP = 3
const DT_NULL = 0
const DT_NEEDED = 1
const DT_STRTAB = 5

/** What an ELF file asks of the system that loads it. */
export interface ElfHeader {
  /** `e_machine`: 62 for x86-64, 183 for AArch64. */
  readonly machine: number
  /** Absolute path of the dynamic loader; `undefined` for a shared library. */
  readonly interpreter: string | undefined
  /** Names of the shared libraries that must be found, as they stand in the file. */
  readonly needed: readonly string[]
}

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

/**
 * Reads the loader and the libraries that a 64-bit little-endian ELF file names. Unlike `ldd` it
 * runs nothing, so it also reads files of another architecture.
 *
 * @throws Error when the file is not such an ELF file.
 * @see https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
 */
export function readElf(path: string): ElfHeader {
  const bytes = readFileSync(path)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength < 64 || view.getUint32(0) !== 0x7f454c46 || view.getUint16(4) !== 0x0201) {
    throw new Error(`"${path}" is not a 64-bit little-endian ELF file`)
  }
  const segments = readSegments(view)
  const interpreter = segments.find((segment) => segment.type === PT_INTERP)
  return {
    machine: view.getUint16(18, true),
    interpreter: interpreter && readString(bytes, interpreter.offset),
    needed: readNeeded(bytes, view, segments),
  }
}

function readSegments(view: DataView): Segment[] {
  const start = readOffset(view, 32)
  const entrySize = view.getUint16(54, true)
  return Array.from({ length: view.getUint16(56, true) }, (_, index) => {
    const at = start + index * entrySize
    return {
      type: view.getUint32(at, true),
      offset: readOffset(view, at + 8),
      address: readOffset(view, at + 16),
      size: readOffset(view, at + 32),
    }
  })
}

function readNeeded(bytes: Uint8Array, view: DataView, segments: readonly Segment[]): string[] {
  const dynamic = segments.find((segment) => segment.type === PT_DYNAMIC)
  if (dynamic === undefined) return []
  const nameOffsets: number[] = []
  let stringTable = 0
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    const tag = readOffset(view, at)
    if (tag === DT_NULL) break
    if (tag === DT_NEEDED) nameOffsets.push(readOffset(view, at + 8))
    if (tag === DT_STRTAB) stringTable = fileOffset(readOffset(view, at + 8), segments)
  }
  return nameOffsets.map((offset) => readString(bytes, stringTable + offset))
}

/** The dynamic section gives addresses in memory; the file is not loaded. */
function fileOffset(address: number, segments: readonly Segment[]): number {
  const segment = segments.find(
    ({ type, address: start, size }) =>
      type === PT_LOAD && address >= start && address < start + size,
  )
  if (segment === undefined) throw new Error(`no segment holds the address ${address}`)
  return segment.offset + address - segment.address
}

function readOffset(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true))
}

function readString(bytes: Uint8Array, start: number): string {
  return new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start)))
}
