import { PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { PATTERN_METADATA } from '@nestjs/microservices/constants.js';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { catalog } from '@berth/contracts';
import { ACTION_METADATA, PUBLIC_METADATA } from '@berth/runtime';

/** A way into a service: a route or a message handler, with the action it is bound to or the reason why it is open. */
export interface Entrance {
  handler: string;
  kind: 'route' | 'message';
  action: string | null;
  publicReason: string | null;
}

type Method = (...args: unknown[]) => unknown;

/** Every route and message handler of an application. */
export function entrances(app: Pick<NestFastifyApplication, 'get'>): Entrance[] {
  const scanner = new MetadataScanner();
  const controllers = app.get(DiscoveryService, { strict: false }).getControllers();
  return controllers.flatMap(({ metatype, instance }) => {
    if (!metatype || !instance) return [];
    const prototype = Object.getPrototypeOf(instance) as Record<string, Method>;
    return scanner.getAllMethodNames(prototype).flatMap((name): Entrance[] => {
      const method = prototype[name];
      const message = Reflect.hasMetadata(PATTERN_METADATA, method);
      if (!message && !Reflect.hasMetadata(PATH_METADATA, method)) return [];
      const read = (key: string): string | null =>
        (Reflect.getMetadata(key, method) ??
          (key === PUBLIC_METADATA ? Reflect.getMetadata(key, metatype) : null) ??
          null) as string | null;
      return [
        {
          handler: `${metatype.name}.${name}`,
          kind: message ? 'message' : 'route',
          action: read(ACTION_METADATA),
          publicReason: read(PUBLIC_METADATA),
        },
      ];
    });
  });
}

/**
 * A step of `startService`: complete mediation. Refuses to go on when an entrance is neither bound to an action of the
 * catalog nor public with a reason.
 */
export function checkMediation(app: Pick<NestFastifyApplication, 'get'>): void {
  const open = entrances(app).filter(({ action, publicReason }) =>
    action === null ? !publicReason?.trim() : !catalog.has(action),
  );
  if (open.length === 0) return;
  const names = open.map(({ handler, action }) =>
    action ? `${handler} (unknown action ${action})` : handler,
  );
  throw new Error(`neither bound to an action nor public with a reason: ${names.join(', ')}`);
}
