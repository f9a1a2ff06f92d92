import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { PolicyAnswer, Principal } from '@berth/contracts';

/** What follows a request through a process: whose it is, what it is called, which actions it has run so far. */
export interface RequestContext {
  readonly correlationId: string;
  actor: Principal | null;
  /** Names of the actions whose `before` hook has been asked in this request; see `@Performs`. */
  readonly performed: Set<string>;
  /** What policies that only warn have said so far, here and in the services that were asked; by policy. */
  readonly warnings: Map<string, PolicyAnswer>;
  readonly hasWarnings: boolean;
}

/** Most requests need neither of its collections, and there are many thousands a second. */
class LazyContext implements RequestContext {
  private run: Set<string> | null = null;
  private said: Map<string, PolicyAnswer> | null = null;

  constructor(
    readonly correlationId: string,
    public actor: Principal | null,
  ) {}

  get performed(): Set<string> {
    return (this.run ??= new Set());
  }

  get warnings(): Map<string, PolicyAnswer> {
    return (this.said ??= new Map());
  }

  get hasWarnings(): boolean {
    return this.said !== null && this.said.size > 0;
  }
}

const storage = new AsyncLocalStorage<RequestContext>();

const SANE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** A context for a request that comes with `correlationId`, or with none that is fit to be logged. */
export function newRequestContext(correlationId?: string, actor: Principal | null = null): RequestContext {
  const sane = correlationId !== undefined && SANE_ID.test(correlationId);
  return new LazyContext(sane ? correlationId : randomUUID(), actor);
}

export function runInContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}

export function correlationId(): string {
  return storage.getStore()?.correlationId ?? 'none';
}
