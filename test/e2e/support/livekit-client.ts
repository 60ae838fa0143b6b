import { type JoinResponse, SignalRequest, SignalResponse } from '@livekit/protocol'

/** A participant that is connected to a LiveKit server, by signalling alone (without media). */
export interface LiveKitParticipant extends AsyncDisposable {
  /** What the server answered to the join. */
  readonly join: JoinResponse
  /** Says goodbye, as a client does whose user hangs up. */
  leave(): Promise<void>
  /** Closes the connection without a word, as a client does that crashes. */
  disconnect(): Promise<void>
}

/** The server would not let a token join. */
export class JoinRefusedError extends Error {
  /** @param status HTTP status that the server's validation of the token answers with. */
  constructor(
    readonly status: number,
    reason: string,
  ) {
    super(`LiveKit refused the join with ${status}: ${reason}`)
  }
}

/**
 * Joins as a client does: over the WebSocket, with the access token as it was handed out.
 *
 * @param url WebSocket URL of the server, without a path.
 * @throws {JoinRefusedError} When the server does not accept the token.
 */
export async function joinLiveKit(url: string, token: string): Promise<LiveKitParticipant> {
  const parameters = new URLSearchParams({
    access_token: token,
    protocol: '15',
    auto_subscribe: '1',
  })
  const socket = new WebSocket(`${url}/rtc?${parameters}`)
  socket.binaryType = 'arraybuffer'
  const closed = new Promise<void>((resolve) => {
    socket.addEventListener('close', () => resolve())
  })
  const first = await Promise.race([firstMessage(socket), closed])
  if (first === undefined) throw await refusal(url, parameters)

  async function disconnect(): Promise<void> {
    socket.close()
    await closed
  }

  async function leave(): Promise<void> {
    const goodbye = new SignalRequest({ message: { case: 'leave', value: {} } })
    socket.send(goodbye.toBinary())
    await disconnect()
  }

  if (first.message.case !== 'join') {
    await disconnect()
    throw new Error(`LiveKit answered the join with "${first.message.case}"`)
  }
  return { join: first.message.value, leave, disconnect, [Symbol.asyncDispose]: disconnect }
}

function firstMessage(socket: WebSocket): Promise<SignalResponse> {
  return new Promise((resolve, reject) => {
    socket.addEventListener(
      'message',
      ({ data }) => {
        if (!(data instanceof ArrayBuffer)) return reject(new Error('LiveKit sent a text message'))
        resolve(SignalResponse.fromBinary(new Uint8Array(data)))
      },
      { once: true },
    )
  })
}

/** A browser's WebSocket hides the answer to a refused upgrade, hence this endpoint of LiveKit. */
async function refusal(url: string, parameters: URLSearchParams): Promise<Error> {
  const response = await fetch(`${url.replace(/^ws/, 'http')}/rtc/validate?${parameters}`)
  const reason = (await response.text()).trim()
  if (response.ok) return new Error('LiveKit accepts the token, and yet closed the connection')
  return new JoinRefusedError(response.status, reason)
}
