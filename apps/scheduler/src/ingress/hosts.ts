import { BerthError } from '@berth/contracts';
import type { RunSpec } from '../compose/index.js';
import { routeName, type IngressRoute, type RoutePlace } from './config.js';

/** What runs in an environment, or is about to. */
export interface Place {
  project: string;
  environment: string;
  spec: RunSpec;
}

/**
 * The services that requests are led to. `places`: those that run before those being rolled out. Of a service in both, the
 * newer counts; a name of its own that one service of an environment hands to another goes over when the rollout is done.
 */
export function routesOf(places: readonly Place[]): IngressRoute[] {
  const routes = new Map<string, IngressRoute>();
  const taken = new Map<string, string>();
  for (const { project, environment, spec } of places) {
    for (const [service, { http, hosts }] of Object.entries(spec.services)) {
      if (!http) continue;
      const key = `${project}/${environment}/${service}`;
      const own = hosts.filter((host) => (taken.get(host) ?? key) === key);
      for (const host of own) taken.set(host, key);
      const before = routes.get(key)?.hosts ?? [];
      routes.set(key, {
        ...{ project, environment, service, port: http.port, protocol: http.protocol },
        hosts: [...new Set([...before, ...own])],
      });
    }
  }
  return [...routes.values()];
}

/** Where a service answers by its place. */
export function derivedHost(place: RoutePlace, domain: string): string {
  return `${routeName(place)}.${domain}`;
}

/** All names that a service answers at. */
export function hostsOf(route: IngressRoute, domain: string): string[] {
  return [derivedHost(route, domain), ...route.hosts];
}

/** Names below the platform's domain are made of places: nobody may take that of another. Throws COMPOSE_INVALID. */
export function refuseHostsBelow(domain: string, { services }: Pick<RunSpec, 'services'>): void {
  for (const [service, { hosts }] of Object.entries(services)) {
    const own = hosts.find((host) => host === domain || host.endsWith(`.${domain}`));
    if (own === undefined) continue;
    throw new BerthError(
      'COMPOSE_INVALID',
      `services.${service}.x-berth.hosts: "${own}" is below "${domain}", where Berth names services by itself. Choose a name of another domain.`,
      { service, host: own },
    );
  }
}
