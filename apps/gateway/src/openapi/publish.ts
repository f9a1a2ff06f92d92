import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { buildOpenApi } from './document.js';
import { PublishedDocument } from './published-document.js';

/** A step of `startService`: describes the routes as they are. */
export function publishOpenApi(app: NestFastifyApplication): void {
  app.get(PublishedDocument).set(buildOpenApi(app));
}
