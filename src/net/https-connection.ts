import { isIP } from 'node:net'
import * as tls from 'node:tls'
import type { CancellationSignal } from '../lib/cancellation.ts'
import type { Endpoint } from './address-client.ts'
import { AnswerParser, type ParsedAnswer } from './answer-parser.ts'
import { closedByServer, connectionFailure } from './request-error.ts'

/** The server closed a reused connection before the first byte of its answer. */
export class StaleConnection extends Error {
  constructor() {
    super('the server has closed the connection')
    this.name = 'StaleConnection'
  }
}

/** Options of {@link HttpsConnection}. */
export interface HttpsConnectionOptions {
  readonly secureContext: tls.SecureContext
  /** False to accept any certificate. */
  readonly verifyTls: boolean
  /** Called after an exchange, when there may be another one. */
  readonly onIdle: () => void
  /** Called once, when the connection is closed. */
  readonly onClose: () => void
}

interface Job {
  readonly parser: AnswerParser
  readonly resolve: (answer: ParsedAnswer) => void
  readonly reject: (reason: unknown) => void
  /** Gives up listening to the signal of the exchange. */
  readonly release: () => void
}

/** One connection with one exchange at a time. Any error closes it. */
export class HttpsConnection {
  readonly #socket: tls.TLSSocket
  readonly #onIdle: () => void
  readonly #onClose: () => void
  #job: Job | undefined
  #waiting: string | undefined
  #isSecure = false
  #isUsed = false
  #isClosed = false

  constructor(
    { address, port, tlsServerName }: Endpoint,
    { secureContext, verifyTls, onIdle, onClose }: HttpsConnectionOptions,
  ) {
    this.#onIdle = onIdle
    this.#onClose = onClose
    const socket = tls.connect({
      host: address,
      port,
      secureContext,
      rejectUnauthorized: verifyTls,
      ALPNProtocols: ['http/1.1'],
      // SNI must not contain an IP address; the certificate is checked against it all the same.
      ...(isIP(tlsServerName) === 0 ? { servername: tlsServerName.replace(/\.$/, '') } : {}),
      checkServerIdentity: (_, certificate) => tls.checkServerIdentity(tlsServerName, certificate),
    })
    this.#socket = socket
    socket.setNoDelay(true)
    // Idle connections keep no process alive; an exchange has a deadline whose timer does.
    socket.unref()
    socket.once('secureConnect', () => this.#begin(verifyTls))
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    socket.once('end', () => this.#end())
    socket.once('error', (error) => this.#fail(connectionFailure(error)))
    socket.once('close', () => this.#end())
  }

  /** Whether the connection is closed. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Sends a request as soon as the server's certificate has been checked; when `signal` fires, the
   * connection is closed.
   *
   * @param request - exact bytes for the wire
   * @param maxBodyBytes - limit for the body of the answer
   * @throws {StaleConnection} when the server had closed the idle connection
   * @throws {RequestError} when there is no usable answer
   */
  exchange(
    request: string,
    signal: CancellationSignal,
    maxBodyBytes?: number,
  ): Promise<ParsedAnswer> {
    return new Promise((resolve, reject) => {
      const abort = () => this.#close(signal.reason)
      const release = () => signal.removeEventListener('abort', abort)
      signal.addEventListener('abort', abort)
      this.#job = { parser: new AnswerParser(maxBodyBytes), resolve, reject, release }
      if (this.#isSecure) this.#socket.write(request)
      else this.#waiting = request
    })
  }

  /** Closes the connection; an exchange under way fails. */
  close(): void {
    this.#close(closedByServer())
  }

  #begin(verifyTls: boolean): void {
    if (verifyTls && !this.#socket.authorized) {
      this.#close(connectionFailure(this.#socket.authorizationError))
      return
    }
    this.#isSecure = true
    if (this.#waiting !== undefined) this.#socket.write(this.#waiting)
    this.#waiting = undefined
  }

  #receive(bytes: Buffer): void {
    const job = this.#job
    if (job === undefined) {
      // Bytes outside of an exchange: a protocol violation.
      this.close()
      return
    }
    this.#attempt(() => {
      const answer = job.parser.push(bytes)
      if (answer !== undefined) this.#finish(job, answer)
    })
  }

  #attempt(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    const isStale = this.#isUsed && this.#job?.parser.isUntouched
    this.#close(isStale ? new StaleConnection() : error)
  }

  #finish(job: Job, answer: ParsedAnswer): void {
    this.#job = undefined
    this.#isUsed = true
    job.release()
    if (answer.mayReuse) this.#onIdle()
    else this.close()
    job.resolve(answer)
  }

  #end(): void {
    const job = this.#job
    this.#attempt(() => {
      if (job === undefined) throw closedByServer()
      this.#finish(job, job.parser.end())
    })
  }

  #close(reason: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#socket.destroy()
    this.#onClose()
    this.#job?.release()
    this.#job?.reject(reason)
    this.#job = undefined
  }
}
