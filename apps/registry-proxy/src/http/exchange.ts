import type { IncomingMessage, ServerResponse } from 'node:http';
import { BerthError, type ActionDefinition } from '@berth/contracts';
import type { Access } from '../login/access.js';
import type { RequestContext } from '@berth/runtime';

export type Headers = Record<string, string | number>;

/** One request of a registry client and its answer, on Node's own streams: no framework stands in the path of bytes. */
export class Exchange {
  /** What the client's token is for; null: for all that policy allows. */
  access: Access | null = null;
  /** The upstream whose names the client uses as they are there. */
  mirrorOf: string | null = null;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    private readonly parameters: URLSearchParams,
    private readonly context: RequestContext,
    /** What must have passed the pipeline before anything is answered but an error; null on a public route. */
    private readonly action: Pick<ActionDefinition, 'name'> | null,
  ) {}

  get isHead(): boolean {
    return this.request.method === 'HEAD';
  }

  /** What the client takes this registry for a mirror of. */
  get namespace(): string | null {
    return this.query('ns') || this.mirrorOf;
  }

  /** A repository as this client calls it. */
  nameForClient(name: string): string {
    const prefix = `${this.mirrorOf}/`;
    return this.mirrorOf !== null && name.startsWith(prefix) ? name.slice(prefix.length) : name;
  }

  query(name: string): string | null {
    return this.parameters.get(name);
  }

  queries(name: string): string[] {
    return this.parameters.getAll(name);
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Sends the head of an answer, which a handler's stream of bytes may follow. */
  begin(status: number, headers: Headers): void {
    if (this.action !== null && !this.context.performed.has(this.action.name)) {
      throw new BerthError('UNMEDIATED', `${this.action.name} answered without having passed the pipeline.`);
    }
    this.writeHead(status, headers);
  }

  /** A whole answer. To HEAD it is the same, without the body. */
  answer(status: number, headers: Headers, body: string | Buffer = ''): void {
    this.begin(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    this.response.end(this.isHead ? undefined : body);
  }

  /** An error, which needs no leave. */
  fail(status: number, headers: Headers, body: string): void {
    this.writeHead(status, {
      ...headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    this.response.end(this.isHead ? undefined : body);
  }

  private writeHead(status: number, headers: Headers): void {
    this.response.writeHead(status, {
      'docker-distribution-api-version': 'registry/2.0',
      'x-correlation-id': this.context.correlationId,
      'x-content-type-options': 'nosniff',
      ...(this.namespace === null ? {} : { 'oci-namespace': encodeURI(this.namespace) }),
      ...headers,
    });
  }
}
