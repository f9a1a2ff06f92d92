import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { BerthError } from '@berth/contracts';
import {
  asBerthError,
  correlationId,
  LOGGER,
  Metrics,
  newRequestContext,
  runInContext,
  type Logger,
} from '@berth/runtime';
import { GUEST_PLACES, type GuestPlaces } from '../engine/guest-places.js';
import { METADATA_REMOTE } from '../ingress/metadata-server.js';
import { Metadata, tagOf, type Told } from './metadata.js';
import { Pace } from './pace.js';
import { RequestsAtOnce } from './requests-at-once.js';
import { METADATA_ROUTES, type MetadataRoute } from './routes.js';
import { Watcher } from './watcher.js';
import { Watches } from './watches.js';

/**
 * Answers instances that ask about their environment. Which one that is follows from the network that they ask in, and from
 * nothing that they say: a guest can't ask about another's.
 */
@Injectable()
export class MetadataRequests {
  readonly routes = METADATA_ROUTES;
  private readonly reads = new RequestsAtOnce({ each: 64, all: 512 });
  private readonly pace = new Pace({ perSecond: 100, burst: 200 });
  private readonly watchers = new RequestsAtOnce({ each: 64, all: 1_024 });

  constructor(
    @Inject(GUEST_PLACES) private readonly places: GuestPlaces,
    private readonly metadata: Metadata,
    private readonly watches: Watches,
    private readonly metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  handle(request: IncomingMessage, response: ServerResponse): void {
    const context = newRequestContext(header(request, 'x-correlation-id'));
    response.setHeader('x-correlation-id', context.correlationId);
    runInContext(context, () => {
      this.answer(request, response).catch((thrown: unknown) => this.refuse(response, asBerthError(thrown)));
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const place = await this.places.of(header(request, METADATA_REMOTE) ?? '');
    if (!place) throw nobody();
    const key = `${place.project}/${place.environment}`;
    const leave = this.reads.enter(key, 'requests');
    try {
      const milliseconds = this.pace.delay(key, performance.now());
      if (milliseconds > 0) await delay(milliseconds);
      const route = this.routeOf(request);
      this.observe(route, response);
      const told = await this.metadata.of(place);
      if (!told) throw nobody();
      if (route.part) send(request, response, route.part(told.metadata));
      else this.watch(request, response, told);
    } finally {
      leave();
    }
  }

  /** Of a watch only its end would be seen, and that says nothing. */
  private observe({ path, part }: MetadataRoute, response: ServerResponse): void {
    if (!part) return;
    const begun = performance.now();
    response.once('close', () => {
      const labels = { method: 'GET', route: `metadata:${path}`, status: response.statusCode };
      this.metrics.http.observe(labels, (performance.now() - begun) / 1_000);
    });
  }

  private routeOf(request: IncomingMessage): MetadataRoute {
    const [path, query] = (request.url ?? '').split('?', 2);
    const route = this.routes.find((candidate) => candidate.path === path);
    if (!route) {
      const known = this.routes.map((candidate) => candidate.path).join(', ');
      throw new BerthError('NOT_FOUND', `There is nothing at this path; there is at ${known}.`);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new BerthError('METHOD_NOT_ALLOWED', 'Metadata can be read, with GET or HEAD, and nothing else.');
    if (
      request.headers['transfer-encoding'] !== undefined ||
      Number(request.headers['content-length'] ?? 0) !== 0
    )
      throw new BerthError('BODY_TOO_LARGE', 'A request for metadata has no body.');
    if (query) throw new BerthError('VALIDATION_FAILED', 'A request for metadata has no query.');
    return route;
  }

  private watch(request: IncomingMessage, response: ServerResponse, { id }: Told): void {
    if (request.method === 'HEAD') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
      return;
    }
    const leave = this.watchers.enter(id, 'watches');
    const forget = this.watches.add(id, new Watcher(response, header(request, 'last-event-id')));
    const end = (): void => {
      forget();
      leave();
    };
    response.once('close', end);
    if (response.destroyed) end();
  }

  private refuse(response: ServerResponse, error: BerthError): void {
    if (error.status >= 500)
      this.logger.error({ err: error.cause ?? error, code: error.code }, 'metadata.failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (error.code === 'METHOD_NOT_ALLOWED') response.setHeader('allow', 'GET, HEAD');
    if (error.status === 429 || error.status === 503) response.setHeader('retry-after', '1');
    // What is left of a body is not read.
    response.setHeader('connection', 'close');
    response.writeHead(error.status, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify(error.toProblem(correlationId())));
  }
}

function nobody(): BerthError {
  return new BerthError(
    'NOT_FOUND',
    'Metadata is told to instances of an environment, and this request comes from none.',
  );
}

function send(request: IncomingMessage, response: ServerResponse, told: unknown): void {
  const tag = `"${tagOf(told)}"`;
  response.setHeader('etag', tag).setHeader('cache-control', 'no-cache');
  const known = header(request, 'if-none-match')?.split(',');
  if (known?.some((one) => one.trim() === tag)) {
    response.writeHead(304).end();
    return;
  }
  const body = Buffer.from(JSON.stringify(told));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
