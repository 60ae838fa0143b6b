import { CreateRoomRequest, Room } from '@livekit/protocol'
import { serveOrders } from './child.ts'

/** What the stand-ins need to start: the certificate of `localhost`, PEM. */
export interface StandInsOrder {
  readonly certPem: string
  readonly keyPem: string
}

/** Ports on loopback: two homeservers over TLS, and the SFU's room service without. */
export interface StandInsPorts {
  readonly restricted: number
  readonly full: number
  readonly sfu: number
}

const json = { headers: { 'content-type': 'application/json' } }
const protobuf = { headers: { 'content-type': 'application/protobuf' } }

/** Every token of the form `LOCALPART.anything` is good, for the user of that name. */
function startHomeserver({ certPem, keyPem }: StandInsOrder) {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert: certPem, key: keyPem },
    fetch(request, server): Response {
      const token = request.url.slice(request.url.indexOf('access_token=') + 13)
      const localpart = token.slice(0, token.indexOf('.'))
      return new Response(`{"sub":"@${localpart}:localhost:${server.port}"}`, json)
    },
  })
}

function startRoomService() {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { name } = CreateRoomRequest.fromBinary(new Uint8Array(await request.arrayBuffer()))
      return new Response(new Room({ sid: 'RM_1', name }).toBinary(), protobuf)
    },
  })
}

serveOrders<StandInsOrder, StandInsPorts>(async (order) => ({
  restricted: startHomeserver(order).port ?? 0,
  full: startHomeserver(order).port ?? 0,
  sfu: startRoomService().port ?? 0,
}))
