import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const SUBSCRIPTION = '1';
const END = Buffer.from('\r\n');

/** As a test's own server takes it in. */
export interface Access {
  /** nats://host:port */
  servers: string;
  user: string;
  pass: string;
  inboxPrefix: string;
}

/** What is asked: the body of the n-th request, and what an answer must hold to count. */
export interface Asking {
  subject: string;
  bodies: readonly Buffer[];
  expected: string;
}

/**
 * Asks over NATS and times the answers, with the least work for each: a client that parses and makes objects takes as much of a
 * small machine as the service that is measured.
 */
export class SteadyAsker {
  private rest: Buffer = Buffer.alloc(0);
  /** By number of the request, in milliseconds of `performance.now()`. */
  private asked: number[] = [];
  private times: number[] = [];
  private open = 0;
  private expected = '';
  private failure: Error | null = null;
  private onAnswer: () => void = () => undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly inbox: string,
  ) {
    socket.on('data', (data) => this.read(data));
    socket.on('error', (error) => (this.failure = error));
  }

  static async connect({ servers, user, pass, inboxPrefix }: Access): Promise<SteadyAsker> {
    const { hostname, port } = new URL(servers);
    const socket = connect(Number(port), hostname).setNoDelay(true);
    await once(socket, 'connect');
    const asker = new SteadyAsker(socket, `${inboxPrefix}.steady`);
    const options = {
      user,
      pass,
      verbose: false,
      pedantic: false,
      headers: true,
      lang: 'berth',
      version: '1',
    };
    socket.write(`CONNECT ${JSON.stringify(options)}\r\nSUB ${asker.inbox}.* ${SUBSCRIPTION}\r\n`);
    return asker;
  }

  close(): void {
    this.socket.destroy();
  }

  /** As many a second as come back while so many are always under way. */
  async throughput(asking: Asking, { inFlight, ms }: { inFlight: number; ms: number }): Promise<number> {
    this.begin(asking);
    const begun = performance.now();
    this.onAnswer = () => {
      if (performance.now() - begun < ms) this.ask(asking, 1);
    };
    this.ask(asking, inFlight);
    await this.settled(ms);
    return (this.times.length * 1_000) / (performance.now() - begun);
  }

  /** Milliseconds of each, sorted; asked at a steady pace whether or not those before have been answered. */
  async atPace(asking: Asking, { perSecond, ms }: { perSecond: number; ms: number }): Promise<number[]> {
    this.begin(asking);
    this.onAnswer = () => undefined;
    const begun = performance.now();
    for (let passed = 0; passed < ms; passed = performance.now() - begun) {
      this.ask(asking, Math.floor((passed * perSecond) / 1_000) - this.asked.length);
      await delay(1);
    }
    await this.settled(0);
    return this.times.sort((left, right) => left - right);
  }

  private begin({ expected }: Asking): void {
    this.asked = [];
    this.times = [];
    this.expected = expected;
  }

  private ask({ subject, bodies }: Asking, count: number): void {
    const parts: Buffer[] = [];
    for (let n = 0; n < count; n += 1) {
      const body = bodies[this.asked.length % bodies.length];
      parts.push(
        Buffer.from(`PUB ${subject} ${this.inbox}.${this.asked.length} ${body.length}\r\n`),
        body,
        END,
      );
      this.asked.push(performance.now());
    }
    this.open += Math.max(0, count);
    if (parts.length > 0) this.socket.write(Buffer.concat(parts));
  }

  private async settled(ms: number): Promise<void> {
    const until = performance.now() + ms + 5_000;
    await delay(ms);
    while (this.open > 0 && !this.failure && performance.now() < until) await delay(5);
    if (this.failure) throw this.failure;
    if (this.open > 0) throw new Error(`${this.open} were not answered`);
  }

  private read(data: Buffer): void {
    const now = performance.now();
    let rest = this.rest.length > 0 ? Buffer.concat([this.rest, data]) : data;
    for (;;) {
      const end = rest.indexOf(END);
      if (end < 0) break;
      const line = rest.toString('latin1', 0, end);
      let next = end + END.length;
      if (line.startsWith('MSG ') || line.startsWith('HMSG ')) {
        const words = line.split(' ');
        const length = Number(words.at(-1));
        if (rest.length < next + length + END.length) break;
        this.take(words[1], rest.subarray(next, next + length), now);
        next += length + END.length;
      } else if (line === 'PING') this.socket.write('PONG\r\n');
      else if (line.startsWith('-ERR')) this.failure = new Error(line);
      rest = rest.subarray(next);
    }
    this.rest = rest;
  }

  private take(subject: string, payload: Buffer, now: number): void {
    const number = Number(subject.slice(this.inbox.length + 1));
    this.times.push(now - this.asked[number]);
    this.open -= 1;
    if (!payload.includes(this.expected)) this.failure = new Error(`answered: ${payload.toString()}`);
    this.onAnswer();
  }
}
