import { upstreamName, WAY_IN_ADDRESS, WAY_IN_FOLDER, WAY_IN_PORT } from '../engine/way-in.js';
import { hostsOf } from './hosts.js';
import { metadataServer } from './metadata-server.js';

/** A service that requests are led to. */
export interface IngressRoute {
  project: string;
  environment: string;
  service: string;
  port: number;
  protocol: 'http' | 'h2c';
  /** Names of its own. */
  hosts: string[];
}

export type RoutePlace = Pick<IngressRoute, 'project' | 'environment' | 'service'>;

/** Of Caddy's configuration, what others here have to know. */
export interface WayInConfig {
  admin: object;
  logging: object;
  apps: { http: { servers: { public: { listen: string[]; routes: object[] } } & Record<string, object> } };
}

/** Headers of a probe, and of an answer that is an instance's own. */
export const PROBE_INSTANCE = 'x-berth-instance';
export const PROBE_PROTOCOL = 'x-berth-protocol';
export const PROBE_REACHED = 'x-berth-reached';

const ADMIN = { listen: `unix/${WAY_IN_FOLDER}/admin.sock`, origins: ['localhost'] };
const UNKNOWN = JSON.stringify({
  ...{ type: 'about:blank', title: 'Not found', status: 404, code: 'NOT_FOUND' },
  detail: 'No service answers at this host. "berth services" tells where each does.',
});

/** What the container starts with until it was given more: the door for its administration. */
export const BOOT_CONFIG = { admin: ADMIN };

/** `<service>.<environment>.<project>`: its host name before the domain. */
export function routeName({ service, environment, project }: RoutePlace): string {
  return `${service}.${environment}.${project}`;
}

/**
 * The whole configuration of Caddy. Instances are found by name when a request comes, so that it changes with services
 * and their ports only, never with a deployment. The public server listens in its own network only, so that no guest
 * reaches it.
 */
export function ingressConfig(domain: string, routes: readonly IngressRoute[]): WayInConfig {
  const mappings = routes
    .flatMap((route) =>
      hostsOf(route, domain).map((input) => ({
        input,
        outputs: [upstreamName(route, route.service, route), String(route.port), route.protocol],
      })),
    )
    .sort((a, b) => (a.input < b.input ? -1 : a.input > b.input ? 1 : 0));
  const server = {
    listen: [`{env.${WAY_IN_ADDRESS}}:${WAY_IN_PORT}`],
    protocols: ['h1', 'h2', 'h2c'],
    automatic_https: { disable: true },
    logs: { default_logger_name: 'access' },
    routes: [
      {
        match: [{ not: [{ header: { 'X-Correlation-Id': ['*'] } }] }],
        handle: [{ handler: 'headers', request: { set: { 'X-Correlation-Id': ['{http.request.uuid}'] } } }],
      },
      {
        handle: [
          {
            handler: 'headers',
            response: {
              deferred: true,
              set: { 'X-Correlation-Id': ['{http.request.header.X-Correlation-Id}'] },
            },
          },
          {
            handler: 'map',
            source: '{http.request.host}',
            destinations: ['{berth.name}', '{berth.port}', '{berth.protocol}'],
            mappings,
            defaults: ['none', '0', 'none'],
          },
        ],
      },
      { match: speaks('http'), handle: [proxy(['1.1'])], terminal: true },
      { match: speaks('h2c'), handle: [proxy(['h2c', '2'])], terminal: true },
      {
        handle: [
          {
            handler: 'static_response',
            status_code: 404,
            headers: { 'Content-Type': ['application/problem+json'] },
            body: UNKNOWN,
          },
        ],
      },
    ],
  };
  return {
    admin: ADMIN,
    logging: {
      logs: {
        default: { level: 'WARN', exclude: ['http.log.access.access'] },
        access: {
          writer: { output: 'file', filename: `${WAY_IN_FOLDER}/access.log`, roll_size_mb: 50, roll_keep: 5 },
          encoder: { format: 'json' },
          include: ['http.log.access.access'],
        },
      },
    },
    apps: { http: { servers: { public: server, probe: probeServer(), metadata: metadataServer() } } },
  };
}

/** For the scheduler alone, at a socket that it shares: asks the instance that a header names. */
function probeServer(): object {
  const to = (protocol: IngressRoute['protocol'], versions: string[]): object => ({
    match: [{ header: { [PROBE_PROTOCOL]: [protocol] } }],
    handle: [
      {
        handler: 'reverse_proxy',
        upstreams: [{ dial: `{http.request.header.${PROBE_INSTANCE}}` }],
        headers: {
          request: { delete: [PROBE_INSTANCE, PROBE_PROTOCOL] },
          response: { set: { [PROBE_REACHED]: ['yes'] } },
        },
        transport: { protocol: 'http', versions, dial_timeout: '300ms', keep_alive: { enabled: false } },
      },
    ],
  });
  return {
    listen: [`unix/${WAY_IN_FOLDER}/probe.sock`],
    automatic_https: { disable: true },
    routes: [to('http', ['1.1']), to('h2c', ['h2c', '2'])],
  };
}

function speaks(protocol: IngressRoute['protocol']): object[] {
  return [{ vars: { '{berth.protocol}': [protocol] } }];
}

function proxy(versions: string[]): object {
  return {
    handler: 'reverse_proxy',
    dynamic_upstreams: { source: 'a', name: '{berth.name}', port: '{berth.port}', refresh: '25ms' },
    load_balancing: {
      selection_policy: { policy: 'round_robin' },
      ...{ try_duration: '5s', try_interval: '20ms' },
    },
    // Event streams, and all whose length is not told beforehand, are passed on as they come without being asked to. With
    // `flush_interval: -1`, services would not be told that who listened is gone.
    transport: {
      protocol: 'http',
      versions,
      dial_timeout: '300ms',
      // Shorter than the five seconds after which Node closes a connection: neither may send on one that is closing.
      keep_alive: { idle_timeout: '4s' },
    },
  };
}
