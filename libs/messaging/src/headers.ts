import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { z } from 'zod';
import { PolicyAnswer, Principal } from '@berth/contracts';
import { newRequestContext, type RequestContext } from '@berth/runtime';

const CORRELATION = 'berth-correlation-id';
const ACTOR = 'berth-actor';
const WARNINGS = 'berth-warnings';

/** The context of a request as headers. Only services may publish where these are read, so they are believed. */
export function contextHeaders(correlationId: string, actor: Principal | null): MsgHdrs {
  const made = headers();
  made.set(CORRELATION, correlationId);
  if (actor) made.set(ACTOR, encodeURIComponent(JSON.stringify(actor)));
  return made;
}

export function contextFromHeaders(received: MsgHdrs | undefined): RequestContext {
  const actor = received?.get(ACTOR);
  return newRequestContext(
    received?.get(CORRELATION) || undefined,
    actor ? Principal.parse(JSON.parse(decodeURIComponent(actor))) : null,
  );
}

/** What an answer carries beside itself: what policies that only warn have said. Undefined when they said nothing. */
export function warningHeaders(context: RequestContext): MsgHdrs | undefined {
  if (!context.hasWarnings) return undefined;
  const made = headers();
  made.set(WARNINGS, encodeURIComponent(JSON.stringify([...context.warnings.values()])));
  return made;
}

export function warningsFromHeaders(received: MsgHdrs | undefined): PolicyAnswer[] {
  const told = received?.get(WARNINGS);
  return told ? z.array(PolicyAnswer).parse(JSON.parse(decodeURIComponent(told))) : [];
}
