import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import * as dnsPacket from 'dns-packet'
import { freePort } from './free-port.ts'

/** Record types that {@link DnsServer.set} takes. */
export type DnsType = 'A' | 'AAAA' | 'SRV' | 'CNAME'

/** One SRV record. */
export interface SrvRecord {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: string
}

/** The data of one record: an address, a name (CNAME), or an {@link SrvRecord}. */
export type DnsData = string | SrvRecord

/**
 * What a question is answered with. A list of data has a TTL of 60 s; an empty one says that the
 * name exists without such records; `silence` sends nothing at all.
 */
export type DnsAnswer =
  | readonly DnsData[]
  | { readonly records: readonly DnsData[]; readonly ttlSeconds: number }
  | { readonly rcode: 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' }
  | 'silence'

/** A DNS responder over UDP and TCP on loopback. */
export interface DnsServer {
  readonly hostname: string
  readonly port: number
  /** `host:port`, as a resolver's `setServers` takes it. */
  readonly address: string
  /** Every question so far, in order, as `TYPE name` in lower-case, such as `SRV _x._tcp.test`. */
  readonly queries: string[]
  /** Several answers are given one after the other, the last one from then on. */
  set(name: string, type: DnsType, ...answers: readonly DnsAnswer[]): void
  /** Forgets all answers for the name; it does not exist any more. */
  remove(name: string): void
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const rcodes = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 } as const
type Rcode = keyof typeof rcodes

interface Lookup {
  readonly answers: dnsPacket.Answer[]
  readonly rcode?: Rcode
}

function toRecord(name: string, type: DnsType, data: DnsData, ttl: number): dnsPacket.Answer {
  if (typeof data === 'string') return { name, type: type as 'A', data, ttl }
  return { name, type: 'SRV', data: { ...data }, ttl }
}

function createZone() {
  const names = new Map<string, Map<string, DnsAnswer[]>>()

  function next(name: string, type: string): DnsAnswer | undefined {
    const sequence = names.get(name)?.get(type)
    if (sequence === undefined || sequence.length < 2) return sequence?.[0]
    return sequence.shift()
  }

  function lookUp(name: string, type: string, hops: number): Lookup | 'silence' {
    if (hops === 0) return { answers: [], rcode: 'SERVFAIL' }
    const known = names.get(name.toLowerCase())
    const via = known?.has(type) ? type : 'CNAME'
    const answer = next(name.toLowerCase(), via)
    if (answer === undefined) return known ? { answers: [] } : { answers: [], rcode: 'NXDOMAIN' }
    if (answer === 'silence') return answer
    if ('rcode' in answer) return { answers: [], rcode: answer.rcode }
    const { records, ttlSeconds } =
      'records' in answer ? answer : { records: answer, ttlSeconds: 60 }
    const answers = records.map((data) => toRecord(name, via as DnsType, data, ttlSeconds))
    const [alias] = records
    if (via === type || typeof alias !== 'string') return { answers }
    const rest = lookUp(alias, type, hops - 1)
    return rest === 'silence' ? rest : { ...rest, answers: [...answers, ...rest.answers] }
  }

  return {
    lookUp: (name: string, type: string) => lookUp(name, type, 8),
    set(name: string, type: DnsType, answers: readonly DnsAnswer[]) {
      const key = name.toLowerCase()
      const types = names.get(key) ?? new Map<string, DnsAnswer[]>()
      names.set(key, types.set(type, [...answers]))
    },
    remove: (name: string) => names.delete(name.toLowerCase()),
  }
}

async function listenTcp(server: Server, hostname: string, port: number): Promise<void> {
  server.listen(port, hostname)
  await once(server, 'listening')
}

async function bindUdp(hostname: string, port: number): Promise<UdpSocket> {
  const socket = createSocket(hostname.includes(':') ? 'udp6' : 'udp4')
  socket.bind(port, hostname)
  await once(socket, 'listening')
  return socket
}

function answerTcp(socket: Socket, answer: (query: Buffer) => Buffer | undefined): void {
  let received = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const reply = answer(received.subarray(2, end))
      received = received.subarray(end)
      if (reply === undefined) continue
      const length = Buffer.alloc(2)
      length.writeUInt16BE(reply.length)
      socket.write(Buffer.concat([length, reply]))
    }
  })
}

/** Starts a responder that answers NXDOMAIN for every name that it was not told. */
export async function startDnsServer(
  options: { readonly hostname?: string; readonly port?: number } = {},
): Promise<DnsServer> {
  const { hostname = '127.0.0.1', port = freePort(hostname) } = options
  const zone = createZone()
  const queries: string[] = []

  function answer(query: Buffer): Buffer | undefined {
    const { id, questions = [] } = dnsPacket.decode(query)
    const [question] = questions
    if (question === undefined) return undefined
    queries.push(`${question.type} ${question.name.toLowerCase()}`)
    const found = zone.lookUp(question.name, question.type)
    if (found === 'silence') return undefined
    const flags = dnsPacket.AUTHORITATIVE_ANSWER | (found.rcode ? rcodes[found.rcode] : 0)
    return dnsPacket.encode({ type: 'response', id: id ?? 0, flags, questions, ...found })
  }

  const sockets = new Set<Socket>()
  const tcp = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    answerTcp(socket, answer)
  })
  await listenTcp(tcp, hostname, port)
  const udp = await bindUdp(hostname, port)
  udp.on('message', (query, from) => {
    const reply = answer(query)
    if (reply !== undefined) udp.send(reply, from.port, from.address)
  })

  async function close(): Promise<void> {
    for (const socket of sockets) socket.destroy()
    tcp.close()
    udp.close()
  }
  return {
    hostname,
    port,
    address: hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`,
    queries,
    set: (name, type, ...answers) => zone.set(name, type, answers),
    remove: (name) => zone.remove(name),
    close,
    [Symbol.asyncDispose]: close,
  }
}
