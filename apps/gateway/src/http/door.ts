import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { BerthError, CONTEXT_MEDIA_TYPE } from '@berth/contracts';
import { contextOf } from '@berth/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Authenticator } from '../authentication/authenticator.js';

/** Bytes of a request's body at most: a Compose file of 1 MiB, with what JSON adds to it. */
export const BODY_LIMIT = 2 * 1024 * 1024;

/** Everything that reads or changes is under here; outside are health, metrics and the docs. */
export const API_PREFIX = '/v1';
/** The only part of it that needs no token. */
export const LOGIN_PREFIX = `${API_PREFIX}/login`;

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** A step of `startService`: what each request meets before anything of it is read. */
export function guardTheDoor(app: NestFastifyApplication): void {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const authenticator = app.get(Authenticator);
  // As it comes: the route that takes it reads it.
  fastify.addContentTypeParser(CONTEXT_MEDIA_TYPE, (_request, body, done) => done(null, body));
  fastify.addHook('onRequest', async (request, reply) => {
    void reply.headers(SECURITY_HEADERS);
    if (!isApi(request)) return;
    // What is answered here is somebody's own.
    void reply.header('cache-control', 'no-store');
    if (!isLogin(request)) {
      const principal = await authenticator.authenticate(request.headers.authorization);
      const context = contextOf(request);
      if (context) context.actor = principal;
    }
    refuseForeignMedia(request);
  });
}

function isApi({ url }: FastifyRequest): boolean {
  const [path] = url.split('?', 1);
  return path === API_PREFIX || path.startsWith(`${API_PREFIX}/`);
}

/** The way to a token needs none: nobody is known there, whatever comes along. By the route as it was matched. */
function isLogin({ routeOptions: { url } }: FastifyRequest): boolean {
  return url === LOGIN_PREFIX || url?.startsWith(`${LOGIN_PREFIX}/`) === true;
}

/** Bodies are JSON, but for routes that take another. Fastify would take `text/plain` too, and Nest adds forms: a browser sends both across sites unasked. */
function refuseForeignMedia({ headers, routeOptions: { config } }: FastifyRequest): void {
  const type = headers['content-type']?.split(';', 1)[0].trim().toLowerCase();
  const taken = (config as { takes?: string }).takes ?? 'application/json';
  if (!type || type === taken) return;
  throw new BerthError('MEDIA_TYPE_UNSUPPORTED', `A body is ${taken} here, not ${type}.`);
}
