import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { actions, ANONYMOUS, BerthError, type ActionDefinition } from '@berth/contracts';
import { asBerthError, LOGGER, runInContext, type Logger, type RequestContext } from '@berth/runtime';
import { isNameProblem, type RepositoryName } from '../names/repository-name.js';
import { Authenticator, loginRequired } from './authenticator.js';
import { Exchange } from './exchange.js';
import { NameReader } from './name-reader.js';
import { asOciError, isDiskFull, OciError } from './oci-error.js';
import { type Access, scopeFor } from '../login/access.js';
import { challengeOf, type Asked } from '../login/challenge.js';
import { ClientTokens } from '../login/client-tokens.js';
import { RouteTable, type Found } from './route-table.js';
import type { Route } from './route.js';
import { isClientGone } from './send-blob.js';
import { Transfers } from './transfers.js';

const GRACE_MS = 30_000;
/** How long the rest of a body may take that nobody wants any more. */
const UNWANTED_BODY_MS = 10_000;

/** All of `/v2/`: finds the route, authenticates, reads the name, and tells errors as registry clients read them. */
@Injectable()
export class RegistryEndpoint implements BeforeApplicationShutdown {
  private readonly transfers = new Transfers();

  constructor(
    private readonly table: RouteTable,
    private readonly authenticator: Authenticator,
    private readonly names: NameReader,
    private readonly tokens: ClientTokens,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  beforeApplicationShutdown(): void {
    this.transfers.drain(GRACE_MS);
  }

  /** Answers a request; never rejects. `mirrorOf`: the upstream whose names the client uses as they are there. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    context: RequestContext,
    mirrorOf: string | null,
  ): Promise<void> {
    this.transfers.add(response);
    await runInContext(context, async () => {
      const [path = '', query = ''] = splitOnce(request.url ?? '', '?');
      const found = this.table.find(request.method ?? '', path);
      const exchange = new Exchange(
        request,
        response,
        new URLSearchParams(query),
        context,
        found.kind === 'route' ? (found.route.performs ?? null) : null,
      );
      exchange.mirrorOf = mirrorOf;
      try {
        const open = found.kind === 'route' && found.route.open === true;
        const { principal, access } = await this.authenticator.authenticate(
          exchange.header('authorization'),
          open,
        );
        context.actor = principal;
        exchange.access = access;
        if (found.kind !== 'route') throw found.error;
        await this.perform(found.route, found.groups, exchange);
      } catch (thrown) {
        this.tell(exchange, isRefusal(thrown, context) ? loginRequired() : thrown, found);
      }
    });
    giveUpBody(request);
  }

  private async perform(
    route: Route,
    [nameText, reference = '']: string[],
    exchange: Exchange,
  ): Promise<void> {
    if (nameText === undefined) {
      await route.answer?.(exchange);
      return;
    }
    const name = this.names.read(nameText, exchange.namespace);
    if (isNameProblem(name))
      throw new OciError(name.code, name.message, { detail: { name: nameText.slice(0, 300) } });
    if (exchange.access !== null)
      this.requireRights(exchange, exchange.access, this.neededFor(exchange, route, name));
    await route.handle?.(exchange, { name, reference });
  }

  private challenge({ request }: Exchange, asked: Asked): Record<string, string> {
    return { 'www-authenticate': challengeOf(request, this.tokens.available, asked) };
  }

  private requireRights(exchange: Exchange, access: Access, needed: readonly Needed[]): void {
    const missing = needed.find(({ repository, action }) => !access.allows(repository, action));
    if (missing === undefined) return;
    const { repository, action } = missing;
    throw new OciError('UNAUTHORIZED', `the token is not for ${action.name} on ${repository}`, {
      headers: this.challenge(exchange, { scope: scopesOf(exchange, needed), insufficient: true }),
    });
  }

  /** What a client's token has to be for. */
  private neededFor(exchange: Exchange, { performs, from }: Route, { name }: RepositoryName): Needed[] {
    if (performs === undefined) return [];
    const own = { repository: name, action: performs };
    const called = from?.(exchange) ?? null;
    const source = called === null ? null : this.names.read(called);
    if (source === null || isNameProblem(source)) return [own];
    return [own, { repository: source.name, action: actions.imagePull }];
  }

  /** The scope that the request would have taken, where it names a repository. */
  private scopeOf(exchange: Exchange, found: Found): string | null {
    if (found.kind !== 'route' || found.route.performs === undefined) return null;
    const name = this.names.read(found.groups[0] ?? '', exchange.namespace);
    return isNameProblem(name) ? null : scopesOf(exchange, this.neededFor(exchange, found.route, name));
  }

  private tell(exchange: Exchange, thrown: unknown, found: Found): void {
    const { response } = exchange;
    if (isClientGone(thrown) || response.destroyed) return;
    const error = this.asToldError(thrown);
    if (error.status >= 500) {
      this.logger.warn({ err: thrown, code: error.code, status: error.status }, 'registry.failed');
    }
    const challenge =
      error.code === 'UNAUTHORIZED'
        ? this.challenge(exchange, { scope: this.scopeOf(exchange, found), insufficient: false })
        : {};
    // A head that promised a whole blob is out: only a broken connection says that it is none.
    if (response.headersSent) response.destroy();
    else exchange.fail(error.status, { ...challenge, ...error.headers }, error.toBody());
  }

  private asToldError(thrown: unknown): OciError {
    if (thrown instanceof OciError) return thrown;
    if (isDiskFull(thrown))
      return new OciError('UNAVAILABLE', 'the blob store is full; ask an admin for room', { status: 507 });
    return asOciError(asBerthError(thrown));
  }
}

/** A right on a repository, as this registry calls it. */
interface Needed {
  repository: string;
  action: Pick<ActionDefinition, 'name'>;
}

function scopesOf(exchange: Exchange, needed: readonly Needed[]): string {
  return needed
    .map(({ repository, action }) => scopeFor(exchange.nameForClient(repository), action))
    .join(' ');
}

/** Whoever showed no token may be somebody who may: clients log in when they are told so. */
function isRefusal(thrown: unknown, { actor }: RequestContext): boolean {
  return (
    actor?.user === ANONYMOUS &&
    thrown instanceof BerthError &&
    (thrown.code === 'POLICY_DENIED' || thrown.code === 'NOT_FOUND')
  );
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

/**
 * After an early answer the rest of the request is read and dropped: unread, it would keep both the client from reading
 * the answer and the connection from ending. Not forever.
 */
function giveUpBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), UNWANTED_BODY_MS).unref();
  request.once('end', () => clearTimeout(timer));
  socket.once('close', () => clearTimeout(timer));
  request.resume();
}
