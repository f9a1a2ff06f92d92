import { Injectable } from '@nestjs/common';
import { DeleteRoutes } from './delete-routes.js';
import { DiscoveryRoutes } from './discovery-routes.js';
import { TokenRoute } from '../login/token-route.js';
import { PullRoutes } from './pull-routes.js';
import { PushRoutes } from './push-routes.js';
import { OciError } from './oci-error.js';
import { checkRoutes, type Route } from './route.js';

export type Found = { kind: 'route'; route: Route; groups: string[] } | { kind: 'none'; error: OciError };

const PING: Route = {
  id: '/v2/',
  methods: ['GET', 'HEAD'],
  pattern: /^\/v2\/?$/,
  publicReason: 'says to whoever holds a valid token that it is one; `docker login` asks it',
  answer: (exchange) => {
    exchange.answer(200, { 'content-type': 'application/json' }, '{}');
    return Promise.resolve();
  },
};

/** Every route of the registry: what is not in it is not answered. */
@Injectable()
export class RouteTable {
  readonly routes: readonly Route[];

  constructor(
    pulls: PullRoutes,
    pushes: PushRoutes,
    deletes: DeleteRoutes,
    discovery: DiscoveryRoutes,
    token: TokenRoute,
  ) {
    // Uploads before blobs, as `uploads` could be taken for a digest.
    this.routes = [
      PING,
      ...token.routes,
      ...pushes.routes,
      ...deletes.routes,
      ...pulls.routes,
      ...discovery.routes,
    ];
    checkRoutes(this.routes);
  }

  find(method: string, rawPath: string): Found {
    const path = decode(rawPath);
    if (path === null)
      return { kind: 'none', error: new OciError('NAME_INVALID', 'the path is not well encoded') };
    const matching = this.routes.filter(({ pattern }) => pattern.test(path));
    const route = matching.find(({ methods }) => methods.includes(method));
    if (route !== undefined)
      return { kind: 'route', route, groups: (route.pattern.exec(path) ?? []).slice(1) };
    if (matching.length > 0) {
      const allow = [...new Set(matching.flatMap(({ methods }) => methods))].join(', ');
      const error = new OciError('UNSUPPORTED', `${method} is not supported here`, { headers: { allow } });
      return { kind: 'none', error };
    }
    return { kind: 'none', error: new OciError('NAME_UNKNOWN', 'the registry has no such path') };
  }
}

function decode(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
