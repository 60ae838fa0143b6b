import {
  AudioSource,
  DisconnectReason,
  dispose,
  LocalAudioTrack,
  Room,
  RoomEvent,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node'

/**
 * Joins a LiveKit room with media; joins it anew on SIGUSR2, publishes a microphone on SIGHUP, and
 * leaves it on SIGTERM.
 *
 * `bun call-client.ts URL TOKEN` writes a line for what happens: "joined" each time that it is in,
 * "published" or "not published: REASON", "receives IDENTITY", and "disconnected REASON".
 */

const [url = '', token = ''] = process.argv.slice(2)
let room: Room

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function join(): Promise<void> {
  const next = new Room()
  next.on(RoomEvent.TrackSubscribed, (_track, _publication, { identity }) => {
    say(`receives ${identity}`)
  })
  next.on(RoomEvent.Disconnected, (reason) => say(`disconnected ${DisconnectReason[reason]}`))
  await next.connect(url, token, { autoSubscribe: true, dynacast: false })
  room = next
  say('joined')
}

async function publish(): Promise<void> {
  const track = LocalAudioTrack.createAudioTrack('microphone', new AudioSource(48_000, 1))
  const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE })
  try {
    await room.localParticipant?.publishTrack(track, options)
    say('published')
  } catch (error) {
    say(`not published: ${error}`)
  }
}

process.on('SIGUSR2', join)
process.on('SIGHUP', publish)
process.once('SIGTERM', async () => {
  await room?.disconnect()
  await dispose()
  process.exit()
})
await join()
