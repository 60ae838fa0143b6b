import { dispose, Room } from '@livekit/rtc-node'

/**
 * Joins a LiveKit room with media; joins it anew on SIGUSR2, and leaves it on SIGTERM.
 *
 * `bun call-client.ts URL TOKEN`: writes "joined" each time that it is in.
 */

const [url = '', token = ''] = process.argv.slice(2)
let room: Room

async function join(): Promise<void> {
  const next = new Room()
  await next.connect(url, token, { autoSubscribe: true, dynacast: false })
  room = next
  process.stdout.write('joined\n')
}

process.on('SIGUSR2', join)
process.once('SIGTERM', async () => {
  await room?.disconnect()
  await dispose()
  process.exit()
})
await join()
