import { Worker } from 'node:worker_threads';
import { type Cedar, CEDAR_MODULE } from './open-cedar.js';

const DEADLINE_MS = 5_000;
const IDLE_MS = 10_000;
// Less than the main thread has, so that a text which this thread survives cannot overflow that one.
const STACK_MB = 0.75;

// A worker's file would have to be JavaScript in the sources and in the build alike; this is all that it would say.
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const cedar = require(workerData.module);
parentPort.on('message', ({ name, args }) => {
  try { parentPort.postMessage({ answer: cedar[name](...args) }); }
  catch (error) { parentPort.postMessage({ died: String(error) }); }
});`;

/** The thread died of the text that it was given, or was given up. The next call gets a new one. */
export class CedarDied extends Error {
  override readonly name = 'CedarDied';
}

type Calls = { [K in keyof Cedar]: Cedar[K] };

/**
 * Cedar in a thread of its own, for text that people write: parsing and validating it may fault or take for ever, and
 * decisions must not notice. One call at a time; started at the first one and stopped when there was none for a while.
 */
export class CedarThread {
  private worker: Worker | null = null;
  private idle: NodeJS.Timeout | null = null;
  private last: Promise<unknown> = Promise.resolve();

  /** Throws `CedarDied` when there is no answer to this. */
  call<K extends keyof Calls>(name: K, ...args: Parameters<Calls[K]>): Promise<ReturnType<Calls[K]>> {
    const answer = this.last.then(() => this.ask(name, args));
    this.last = answer.catch(() => undefined);
    return answer as Promise<ReturnType<Calls[K]>>;
  }

  async close(): Promise<void> {
    await this.last;
    await this.discard();
  }

  private async ask(name: string, args: unknown[]): Promise<unknown> {
    if (this.idle) clearTimeout(this.idle);
    const worker = (this.worker ??= start());
    try {
      return await answerOf(worker, name, args);
    } catch (error) {
      await this.discard();
      throw error;
    } finally {
      this.idle = setTimeout(() => void this.discard(), IDLE_MS).unref();
    }
  }

  private async discard(): Promise<void> {
    if (this.idle) clearTimeout(this.idle);
    const worker = this.worker;
    this.worker = null;
    await worker?.terminate();
  }
}

function start(): Worker {
  const worker = new Worker(PROGRAM, {
    eval: true,
    workerData: { module: CEDAR_MODULE },
    resourceLimits: { stackSizeMb: STACK_MB },
    stdout: true,
    stderr: true,
  });
  worker.unref();
  return worker;
}

async function answerOf(worker: Worker, name: string, args: unknown[]): Promise<unknown> {
  const ended = new AbortController();
  try {
    return await new Promise<unknown>((resolve, reject) => {
      const deadline = setTimeout(() => reject(new CedarDied(`no answer in ${DEADLINE_MS} ms`)), DEADLINE_MS);
      ended.signal.addEventListener('abort', () => clearTimeout(deadline));
      const onMessage = (message: { answer?: unknown; died?: string }): void => {
        if (message.died === undefined) resolve(message.answer);
        else reject(new CedarDied(message.died));
      };
      const onError = (error: unknown): void => reject(new CedarDied(String(error)));
      const onExit = (): void => reject(new CedarDied('the thread ended'));
      worker.once('message', onMessage).once('error', onError).once('exit', onExit);
      ended.signal.addEventListener('abort', () => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      });
      worker.postMessage({ name, args });
    });
  } finally {
    ended.abort();
  }
}
