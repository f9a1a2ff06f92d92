import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { Principal } from '@berth/contracts';
import { newRequestContext, type RequestContext } from '@berth/runtime';

const CORRELATION = 'berth-correlation-id';
const ACTOR = 'berth-actor';

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
