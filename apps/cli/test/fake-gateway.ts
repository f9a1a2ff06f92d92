import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ERRORS, type ErrorCode } from '@berth/contracts';

export interface SeenRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  /** All values of each parameter. */
  queries: Record<string, string[]>;
  headers: IncomingMessage['headers'];
  body: unknown;
}

export type Answer = (request: SeenRequest, response: ServerResponse) => void | Promise<void>;

/** A real HTTP server that answers what a spec tells it to: the other side of the CLI's one boundary. */
export class FakeGateway {
  readonly seen: SeenRequest[] = [];
  private readonly answers = new Map<string, Answer>();
  private readonly server = createServer((request, response) => void this.serve(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  reset(): void {
    this.seen.length = 0;
    this.answers.clear();
  }

  /** `route` as `GET /v1/teams`. */
  on(route: string, answer: Answer): this {
    this.answers.set(route, answer);
    return this;
  }

  onJson(route: string, body: unknown, status = 200): this {
    return this.on(route, (_request, response) => sendJson(response, status, body));
  }

  onProblem(route: string, code: ErrorCode, detail: string, extensions: object = {}): this {
    return this.on(route, (_request, response) => sendProblem(response, code, detail, extensions));
  }

  requests(method: string): SeenRequest[] {
    return this.seen.filter((request) => request.method === method);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? '/', 'http://gateway');
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: Object.fromEntries(url.searchParams),
      queries: Object.fromEntries(
        [...url.searchParams.keys()].map((name) => [name, url.searchParams.getAll(name)]),
      ),
      headers: request.headers,
      body: text ? JSON.parse(text) : undefined,
    };
    this.seen.push(seen);
    const answer = this.answers.get(`${seen.method} ${seen.path}`);
    if (answer) return answer(seen, response);
    sendProblem(response, 'NOT_FOUND', `There is no ${seen.method} ${seen.path}.`);
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function sendProblem(
  response: ServerResponse,
  code: ErrorCode,
  detail: string,
  extensions: object = {},
): void {
  const [status, title] = ERRORS[code];
  const problem = {
    ...extensions,
    type: `urn:berth:error:${code}`,
    title,
    status,
    detail,
    code,
    correlationId: 'c-1',
  };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
}

/** Server-sent events, as the gateway writes them; the stream stays open until `end`. */
export function sendEvents(response: ServerResponse, event: string, items: readonly unknown[]): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  items.forEach((item, index) => {
    response.write(`id: ${index}\nevent: ${event}\ndata: ${JSON.stringify(item)}\n\n`);
  });
}
