import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { page, PolicyAnswer, Problem, type Page } from '@berth/contracts';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { Target } from '../credentials.js';
import { CliError, EXIT } from '../errors.js';
import { readEvents, type ServerEvent } from './events.js';
import { queryString, type Query } from './path.js';
import { openSocket, type Refusal } from './socket.js';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

interface Call {
  method: Method;
  path: string;
  query?: Query;
  body?: unknown;
  /** In place of a body, as it comes. */
  stream?: Readable;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Sent without a token: the way to one. */
  open?: boolean;
}

/** A deploy may wait for a cold look-up of its images; nothing else takes long. */
const PATIENCE_MS = 90_000;
const POST_ATTEMPTS = 4;

/** The gateway over HTTP: every answer is checked against the contract, every failure becomes a `CliError`. */
export class Api {
  private readonly base: string;
  private readonly warned = new Set<string>();

  constructor(
    private readonly target: Target,
    /** Told of each policy that warns, once. */
    private readonly warn: (warning: PolicyAnswer) => void = () => undefined,
  ) {
    this.base = target.url.replace(/\/+$/, '');
  }

  get<S extends z.ZodType>(path: string, schema: S, query?: Query): Promise<z.output<S>> {
    return this.ask({ method: 'GET', path, query }, schema);
  }

  /** Every item of a list, page after page. */
  async all<S extends z.ZodType>(path: string, item: S, query: Query): Promise<z.output<S>[]> {
    const found: z.output<S>[] = [];
    let cursor: string | null = null;
    do {
      const part: Page<z.output<S>> = await this.get(path, page(item), { ...query, cursor });
      found.push(...part.items);
      cursor = part.nextCursor;
    } while (cursor !== null);
    return found;
  }

  /**
   * A POST carries an `Idempotency-Key`, so that it can be sent again when the connection broke: it happens once.
   * `token.create` is not kept by the gateway, so callers turn that off.
   */
  async post<S extends z.ZodType>(
    path: string,
    schema: S,
    body: unknown,
    { repeatable = true, query }: { repeatable?: boolean; query?: Query } = {},
  ): Promise<z.output<S>> {
    const headers = repeatable ? { 'idempotency-key': randomUUID() } : undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.ask({ method: 'POST', path, query, body, headers }, schema);
      } catch (error) {
        const again = repeatable && error instanceof CliError && isBroken(error) && attempt < POST_ATTEMPTS;
        if (!again) throw error;
        await wait(250 * 2 ** attempt);
      }
    }
  }

  put<S extends z.ZodType>(path: string, schema: S, body: unknown, query?: Query): Promise<z.output<S>> {
    return this.ask({ method: 'PUT', path, query, body }, schema);
  }

  async delete(path: string, query?: Query): Promise<void> {
    await this.send({ method: 'DELETE', path, query });
  }

  /** A removal that takes its time: answers what is to be followed. */
  deleteFor<S extends z.ZodType>(path: string, schema: S, query?: Query): Promise<z.output<S>> {
    return this.ask({ method: 'DELETE', path, query }, schema);
  }

  /** What answers without a token; none is sent along. */
  open<S extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    schema: S,
    body?: unknown,
  ): Promise<z.output<S>> {
    return this.ask({ method, path, body, open: true }, schema);
  }

  /** Server-sent events until the server ends the stream; a broken connection is an `UNREACHABLE` error. */
  async *events(path: string, query?: Query, signal?: AbortSignal): AsyncGenerator<ServerEvent> {
    const headers = { accept: 'text/event-stream' };
    const response = await this.send({
      method: 'GET',
      path,
      query,
      headers,
      signal: signal ?? new AbortController().signal,
    });
    try {
      yield* readEvents(response);
    } catch (error) {
      if (signal?.aborted) return;
      throw this.unreachable(error);
    }
  }

  /** Sends a body as it comes, and tells of the events that are answered; a broken connection is an `UNREACHABLE` error. */
  async *upload(path: string, query: Query, stream: Readable, type: string): AsyncGenerator<ServerEvent> {
    const { signal } = new AbortController();
    const headers = { accept: 'text/event-stream', 'content-type': type };
    const response = await this.send({ method: 'POST', path, query, stream, headers, signal });
    try {
      yield* readEvents(response);
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  /** A text as it comes, however long; one that breaks off is an `UNREACHABLE` error. */
  async *text(path: string, query?: Query): AsyncGenerator<string> {
    const { signal } = new AbortController();
    const { body } = await this.send({ method: 'GET', path, query, headers: { accept: '*/*' }, signal });
    if (!body) return;
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body) yield decoder.decode(chunk as Uint8Array, { stream: true });
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  /** A WebSocket that is open. A refusal comes as the problem that any call would have. */
  async socket(path: string, query: Query): Promise<WebSocket> {
    const url = `${this.base.replace(/^http/, 'ws')}${path}${queryString(query)}`;
    const outcome = await openSocket(url, this.requireToken());
    if ('socket' in outcome) return outcome.socket;
    throw 'error' in outcome ? this.unreachable(outcome.error) : this.refused(outcome.response);
  }

  private async ask<S extends z.ZodType>(call: Call, schema: S): Promise<z.output<S>> {
    const response = await this.send(call);
    const body: unknown = await response.json().catch(() => undefined);
    const parsed = schema.safeParse(body);
    if (!parsed.success) throw this.unexpected(response.status, z.prettifyError(parsed.error));
    // The body as it came: what a newer gateway adds stays visible with --json.
    return body as z.output<S>;
  }

  private async send({
    method,
    path,
    query = {},
    body,
    stream,
    headers,
    signal,
    open = false,
  }: Call): Promise<Response> {
    const credentials: Record<string, string> = open
      ? {}
      : { authorization: `Bearer ${this.requireToken()}` };
    let response: Response;
    try {
      response = await fetch(`${this.base}${path}${queryString(query)}`, {
        method,
        headers: {
          accept: 'application/json',
          ...credentials,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(stream
          ? { body: stream as unknown as NonNullable<RequestInit['body']>, duplex: 'half' }
          : { body: body === undefined ? undefined : JSON.stringify(body) }),
        // A token is for this gateway only: a redirect elsewhere is not followed.
        redirect: 'error',
        signal: signal ?? AbortSignal.timeout(PATIENCE_MS),
      });
    } catch (error) {
      throw this.unreachable(error);
    }
    this.tellWarnings(response);
    if (response.ok) return response;
    const { status, statusText } = response;
    throw this.refused({ status, statusText, body: await response.json().catch(() => undefined) });
  }

  private tellWarnings({ headers }: Response): void {
    for (const warning of readWarnings(headers.get('berth-warning'))) {
      const key = `${warning.id} ${warning.message}`;
      if (!this.warned.has(key)) this.warn(warning);
      this.warned.add(key);
    }
  }

  private requireToken(): string {
    if (this.target.token) return this.target.token;
    throw new CliError(
      'NOT_LOGGED_IN',
      `there is no token for ${this.base}`,
      EXIT.unauthenticated,
      'Run `berth login`, or set BERTH_URL and BERTH_TOKEN.',
    );
  }

  private refused({ status, statusText, body }: Refusal): CliError {
    const problem = Problem.safeParse(body);
    return problem.success ? CliError.fromProblem(problem.data) : this.unexpected(status, statusText);
  }

  private unreachable(error: unknown): CliError {
    return new CliError(
      'UNREACHABLE',
      `${this.base} does not answer (${causeOf(error)})`,
      EXIT.unavailable,
      'Is the platform running, and the URL right? `berth up` starts it on this machine; BERTH_URL names another.',
    );
  }

  private unexpected(status: number, what: string): CliError {
    return new CliError(
      'UNEXPECTED_ANSWER',
      `${this.base} answered ${status} in a way that Berth does not: ${what}`,
      EXIT.failed,
      'Check that BERTH_URL is the gateway of a Berth of this version.',
    );
  }
}

/** Broken on the way: it may have arrived, so the same key is sent again. What never got through is told at once. */
function isBroken(error: CliError): boolean {
  if (error.code === 'IDEMPOTENCY_IN_FLIGHT') return true;
  return error.code === 'UNREACHABLE' && !/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|TIMEOUT/i.test(error.message);
}

/** The innermost reason: `fetch` wraps it. */
function causeOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause) inner = inner.cause;
  if (inner instanceof AggregateError) inner = inner.errors[0];
  const { code, message } = inner as { code?: string; message?: string };
  return typeof code === 'string' ? code : (message ?? String(inner));
}

/** Each is an object in JSON; a comma stands between them, as between the members of any list in a header. */
function readWarnings(header: string | null): PolicyAnswer[] {
  if (!header) return [];
  try {
    return z.array(PolicyAnswer).parse(JSON.parse(`[${header}]`));
  } catch {
    return [];
  }
}
