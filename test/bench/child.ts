import { join } from 'node:path'
import { startProcess } from '../support/child-process.ts'

/** A Bun program in a process of its own, that answers orders over IPC. */
export interface Child<Order, Result> {
  readonly pid: number
  /** One order at a time. @throws {Error} when the process ends without an answer. */
  ask(order: Order): Promise<Result>
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

interface Waiting<Result> {
  resolve(result: Result): void
  reject(error: Error): void
}

/** Starts a file of this folder. */
export function startChild<Order, Result>(
  file: string,
  env: Readonly<Record<string, string>> = {},
): Child<Order, Result> {
  let waiting: Waiting<Result> | undefined
  const child = startProcess({
    command: [process.execPath, join(import.meta.dir, file)],
    env,
    onMessage: (message) => waiting?.resolve(message as Result),
    onOutput: (text) => process.stderr.write(text),
  })
  void child.exited.then((code) => waiting?.reject(new Error(`${file} ended with code ${code}`)))

  async function stop(): Promise<void> {
    await child.stop()
  }
  return {
    pid: child.pid,
    ask(order) {
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        child.send(order)
      })
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** The other side: answers each order of the parent with what the handler makes of it. */
export function serveOrders<Order, Result>(handler: (order: Order) => Promise<Result>): void {
  process.on('message', (order: Order) => {
    handler(order).then(
      (result) => process.send?.(result),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
        process.exit(1)
      },
    )
  })
  process.on('disconnect', () => process.exit(0))
}
