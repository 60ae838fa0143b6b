import type { Socket } from 'node:net'

/** Which bytes of a conversation are of interest. */
export interface Beginning {
  /** What is sent as soon as the socket is connected. */
  readonly request: string
  /** How many bytes of the answer are enough. */
  readonly bytes: number
  /** For everything: connecting, sending, and all bytes of the answer. */
  readonly timeoutMs: number
}

/**
 * Sends a request and gives the first bytes of the answer as Latin-1, fewer when the other side closes
 * or fails or takes too long. Then it hangs up: whoever answers may be anybody, and may pour or drip
 * without end.
 */
export function firstBytes(
  socket: Socket,
  { request, bytes, timeoutMs }: Beginning,
): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const end = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(received)
    }
    // Not the timeout of the socket, which begins anew with each byte.
    const timer = setTimeout(end, timeoutMs)
    socket.on('error', end)
    socket.on('close', end)
    socket.on('data', (part: Buffer) => {
      received += part.toString('latin1', 0, bytes - received.length)
      if (received.length >= bytes) end()
    })
    socket.write(request)
  })
}
