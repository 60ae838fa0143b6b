function upgradeHeaders(): Record<string, string> {
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64')
  return {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
  }
}

/**
 * Asks to join a LiveKit room as a client does, and hangs up at once. A `WebSocket` would not say with
 * which status it was refused; `fetch` does, and takes the same proxy as the calls of the SFU's API.
 *
 * @param base - URL of the SFU, with `http` or `https`
 * @returns the HTTP status, 101 when the participant was let in; `undefined` without an answer
 */
export async function signallingStatus(
  base: string,
  jwt: string,
  timeoutMs: number,
): Promise<number | undefined> {
  const query = new URLSearchParams({ access_token: jwt, protocol: '15', auto_subscribe: '1' })
  const conversation = new AbortController()
  const hangUp = () => conversation.abort()
  const timer = setTimeout(hangUp, timeoutMs)
  try {
    const { status } = await fetch(`${base.replace(/\/+$/, '')}/rtc?${query}`, {
      headers: upgradeHeaders(),
      redirect: 'manual',
      signal: conversation.signal,
    })
    return status
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
    hangUp()
  }
}
