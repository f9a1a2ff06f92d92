import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { upstreamRegistry } from '@berth/testing';

/** Answers a request itself, and says so; otherwise the real registry behind does. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Stands in front of the run's real upstream registry: counts what is asked of it, and can misbehave like a bad one. */
export class UpstreamFront {
  readonly asked: string[] = [];
  intercept: Intercept = () => false;
  private port = 0;

  private constructor(
    private server: Server,
    private readonly behind: string,
  ) {}

  static async start(): Promise<UpstreamFront> {
    const { url } = await upstreamRegistry();
    const front = new UpstreamFront(createServer(), url);
    await front.up();
    return front;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  count(pattern: RegExp): number {
    return this.asked.filter((line) => pattern.test(line)).length;
  }

  forget(): void {
    this.asked.length = 0;
    this.intercept = () => false;
  }

  /** Listens, again where it did before. */
  async up(): Promise<void> {
    this.server = createServer((incoming, response) => void this.answer(incoming, response));
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Refuses connections. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked.push(`${incoming.method} ${incoming.url}`);
    if (this.intercept(incoming, response)) return;
    const outgoing = request(`${this.behind}${incoming.url}`, {
      method: incoming.method,
      headers: incoming.headers,
    });
    outgoing.on('error', () => response.destroy());
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      pipeline(answer, response).catch(() => response.destroy());
    });
    outgoing.end();
  }
}
