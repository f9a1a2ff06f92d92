import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { contextOf, newRequestContext } from '@berth/runtime';
import { MirrorDoor } from './mirror-door.js';
import { RegistryEndpoint } from './registry-endpoint.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** A step of `startService`: hands all of `/v2/`, and the tokens for it, to the registry, body unread, on the raw request and response. */
export async function serveRegistry(app: NestFastifyApplication): Promise<void> {
  const endpoint = app.get(RegistryEndpoint);
  const mirror = app.get(MirrorDoor);
  app
    .getHttpAdapter()
    .getInstance()
    .register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, payload, next) => next(null, payload));
      for (const url of ['/v2', '/v2/', '/v2/*', '/token']) {
        scope.route({
          method: METHODS,
          url,
          handler: (request, reply) => {
            reply.hijack();
            const context = contextOf(request) ?? newRequestContext();
            void endpoint.handle(request.raw, reply.raw, context, mirror.upstreamOf(request.raw));
          },
        });
      }
      done();
    });
  await mirror.open(app.getHttpServer());
}
