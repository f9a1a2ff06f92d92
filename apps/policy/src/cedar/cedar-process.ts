import { type ChildProcess, spawn } from 'node:child_process';
import { BerthError } from '@berth/contracts';
import { type Cedar, CEDAR_FLAGS, CEDAR_MODULE } from '@berth/cedar';

const DEADLINE_MS = 15_000;
const IDLE_MS = 10_000;
// In KiB, less than the service has: what overflows no stack there cannot overflow one here.
const STACK = 700;
const HEAP_MIB = 128;

const PROGRAM = `
const cedar = require(process.argv[1]);
process.on('message', ({ name, calls }) => {
  try { process.send({ answers: calls.map((args) => cedar[name](...args)) }); }
  catch (error) { process.send({ died: String(error) }); }
});`;

/** Cedar faulted on what it was given, and would again. The next call gets a new process. */
export class CedarDied extends Error {
  override readonly name = 'CedarDied';
}

function unavailable(why: string): BerthError {
  return new BerthError('POLICY_UNAVAILABLE', `What reads policies gave no answer: ${why}. Try again.`);
}

type Calls = { [K in keyof Cedar]: Cedar[K] };

/**
 * Cedar in a process of its own, for text that people write: reading it may fault, overflow or take for ever, and decisions
 * must not notice. One call at a time. It starts at the first one and ends when there was none for a while, and with it
 * goes the memory that validation takes (some 50 MiB, which a thread would leave behind). It inherits no secrets.
 */
export class CedarProcess {
  private child: ChildProcess | null = null;
  /** Ready for when that one dies: a process takes longer to start than most texts to be read. */
  private spare: ChildProcess | null = null;
  private waiting = 0;
  private idle: NodeJS.Timeout | null = null;
  private last: Promise<unknown> = Promise.resolve();

  /** `mostWaiting`: calls that may stand in line, where they come from anybody. */
  constructor(private readonly mostWaiting = Number.POSITIVE_INFINITY) {}

  /** Throws `CedarDied` when this cannot be answered, POLICY_UNAVAILABLE when it was not, for lack of time or memory. */
  async call<K extends keyof Calls>(name: K, ...args: Parameters<Calls[K]>): Promise<ReturnType<Calls[K]>> {
    const [answer] = await this.callAll(name, [args]);
    return answer;
  }

  /** Several at once, which is faster than one after the other. Where one of them ends the process, none has an answer. */
  callAll<K extends keyof Calls>(
    name: K,
    calls: readonly Parameters<Calls[K]>[],
  ): Promise<ReturnType<Calls[K]>[]> {
    if (this.waiting >= this.mostWaiting) {
      return Promise.reject(unavailable('it has more to read than it can at once'));
    }
    this.waiting += 1;
    const answer = this.last.then(() => this.ask(name, calls)).finally(() => (this.waiting -= 1));
    this.last = answer.catch(() => undefined);
    return answer as Promise<ReturnType<Calls[K]>[]>;
  }

  async close(): Promise<void> {
    await this.last;
    this.discard();
  }

  private async ask(name: string, calls: readonly unknown[]): Promise<unknown[]> {
    if (this.idle) clearTimeout(this.idle);
    // It may have ended in the meantime, for a lack of memory say.
    const child = this.child?.connected ? this.child : (this.child = this.takeSpare());
    this.spare ??= start();
    try {
      return await answersOf(child, name, calls);
    } catch (error) {
      child.kill('SIGKILL');
      this.child = this.takeSpare();
      throw error;
    } finally {
      this.idle = setTimeout(() => this.discard(), IDLE_MS).unref();
    }
  }

  private takeSpare(): ChildProcess {
    const child = this.spare?.connected ? this.spare : start();
    this.spare = null;
    return child;
  }

  private discard(): void {
    if (this.idle) clearTimeout(this.idle);
    for (const child of [this.child, this.spare]) child?.kill('SIGKILL');
    this.child = this.spare = null;
  }
}

function start(): ChildProcess {
  const options = [...CEDAR_FLAGS, `--stack-size=${STACK}`, `--max-old-space-size=${HEAP_MIB}`];
  const child = spawn(process.execPath, [...options, '-e', PROGRAM, CEDAR_MODULE], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
    env: {},
  });
  // It ends by itself when its parent is gone, and keeps none alive.
  child.on('error', () => undefined);
  child.unref();
  child.channel?.unref();
  return child;
}

async function answersOf(child: ChildProcess, name: string, calls: readonly unknown[]): Promise<unknown[]> {
  const ended = new AbortController();
  try {
    return await new Promise<unknown[]>((resolve, reject) => {
      const deadline = setTimeout(() => reject(unavailable(`none in ${DEADLINE_MS} ms`)), DEADLINE_MS);
      const onMessage = (message: { answers?: unknown[]; died?: string }): void => {
        if (message.died === undefined) resolve(message.answers ?? []);
        else reject(new CedarDied(message.died));
      };
      const onError = (error: Error): void => reject(unavailable(error.message));
      const onExit = (): void => reject(unavailable('its process ended'));
      child.once('message', onMessage).once('error', onError).once('exit', onExit);
      ended.signal.addEventListener('abort', () => {
        clearTimeout(deadline);
        child.off('message', onMessage).off('error', onError).off('exit', onExit);
      });
      child.send({ name, calls }, (error) => error && onError(error));
    });
  } finally {
    ended.abort();
  }
}
