import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A change that was asked of the engine: `POST /services/create`. */
export type EngineChange = string;

interface Trap {
  /** Which of the changes to come, from 1. */
  number: number;
  /** Whether the engine still gets to do it. */
  when: 'before' | 'after';
  caught: (change: EngineChange) => void;
}

/**
 * A way to the real engine that stops at a change which is asked for: either the engine never hears of it, or nobody hears
 * that it was done. From then on nothing passes, until whoever asked is gone.
 */
export class EngineTap {
  private readonly server: Server;
  private trap: Trap | null = null;
  private seen = 0;
  private shut = false;

  constructor(private readonly dockerHost: string) {
    this.server = createServer((client) => this.pass(client));
  }

  /** As DOCKER_HOST. */
  get address(): string {
    return `tcp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async open(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  close(): void {
    this.server.close();
  }

  /** Resolves when it has caught that change, with what it is. */
  catch(number: number, when: Trap['when']): Promise<EngineChange> {
    this.seen = 0;
    return new Promise((caught) => (this.trap = { number, when, caught }));
  }

  /** Lets everything pass again. */
  release(): void {
    this.trap = null;
    this.shut = false;
  }

  private pass(client: Socket): void {
    const engine = this.dockerHost.startsWith('unix://')
      ? connect(this.dockerHost.slice('unix://'.length))
      : connect(Number(new URL(this.dockerHost).port), new URL(this.dockerHost).hostname);
    /** The change whose answer is not to be heard. */
    let muted: EngineChange | null = null;
    client.on('data', (chunk) => {
      const change = changeIn(chunk);
      if (change !== null) this.seen += 1;
      const { trap } = this;
      if (trap && change !== null && this.seen === trap.number) {
        if (trap.when === 'after') muted = change;
        else return this.spring(trap, change);
      }
      if (!this.shut) engine.write(chunk);
    });
    engine.on('data', (chunk) => {
      if (muted !== null && this.trap) this.spring(this.trap, muted);
      if (!this.shut) client.write(chunk);
    });
    for (const [socket, other] of [
      [client, engine],
      [engine, client],
    ]) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
  }

  private spring({ caught }: Trap, change: EngineChange): void {
    this.shut = true;
    caught(change);
  }
}

/** The client sends the head of a request in one piece. */
function changeIn(chunk: Buffer): EngineChange | null {
  const head = chunk.subarray(0, 200).toString('latin1');
  const found = /^(POST|DELETE) (\/(?:networks|services|secrets)\/[^ ?]*)/.exec(head);
  if (!found) return null;
  // Names and ids differ from one run to the next.
  return `${found[1]} ${found[2].replace(/^(\/\w+\/)(?!create$)[^/]+/, '$1…')}`;
}
