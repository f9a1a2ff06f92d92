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
}

const storage = new AsyncLocalStorage<RequestContext>();

const SANE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** A context for a request that comes with `correlationId`, or with none that is fit to be logged. */
export function newRequestContext(correlationId?: string, actor: Principal | null = null): RequestContext {
  const sane = correlationId !== undefined && SANE_ID.test(correlationId);
  return {
    correlationId: sane ? correlationId : randomUUID(),
    actor,
    performed: new Set(),
    warnings: new Map(),
  };
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
