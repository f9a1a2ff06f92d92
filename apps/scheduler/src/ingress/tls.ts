import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { covers } from '../certificates/check-certificate.js';
import type { OwnCertificate } from '../certificates/key-store.js';
import { WAY_IN_FOLDER, WAY_IN_PORT, WAY_IN_TLS_PORT } from '../engine/way-in.js';
import type { SchedulerEnv } from '../env.js';
import type { WayInConfig } from './config.js';

type Settings = Pick<
  SchedulerEnv,
  | 'BERTH_INGRESS_TLS'
  | 'BERTH_INGRESS_TLS_PORT'
  | 'BERTH_INGRESS_PORT'
  | 'BERTH_INGRESS_FOLDER'
  | 'BERTH_ACME_DIRECTORY'
  | 'BERTH_ACME_CA_FILE'
  | 'BERTH_ACME_EMAIL'
>;

export interface Served {
  hosts: string[];
  /** Certificates that were brought. */
  own: OwnCertificate[];
}

/** Where requests to a host come in. */
export function urlAt(host: string, settings: Settings): string {
  const url =
    settings.BERTH_INGRESS_TLS === 'off'
      ? new URL(`http://${host}:${settings.BERTH_INGRESS_PORT}`)
      : new URL(`https://${host}:${settings.BERTH_INGRESS_TLS_PORT}`);
  return url.origin;
}

/**
 * The configuration with TLS as it is set: what was served in the clear is served over TLS, and in the clear is led there.
 * Certificates are got for these hosts and no other, before anyone asks; for none that one was brought for.
 */
export function withTls(config: WayInConfig, settings: Settings, { hosts, own }: Served): object {
  if (settings.BERTH_INGRESS_TLS === 'off') return config;
  const { public: server, ...servers } = config.apps.http.servers;
  const redirecting = { ...server, routes: [redirect(hosts, settings), ...server.routes] };
  const secure = {
    ...server,
    // At the same addresses: those that no guest reaches.
    listen: server.listen.map((place) => place.replace(/:\d+$/, `:${WAY_IN_TLS_PORT}`)),
    protocols: ['h1', 'h2'],
    tls_connection_policies: [{}],
  };
  const brought = own.flatMap(({ names }) => names);
  const made = hosts.filter((host) => !covers(brought, host));
  return {
    ...config,
    apps: {
      ...config.apps,
      http: { servers: { ...servers, public: redirecting, secure } },
      tls: {
        certificates: {
          automate: made,
          load_pem: own.map(({ certificate, key }) => ({ certificate, key })),
        },
        automation: { policies: policies(settings, made) },
      },
      // Nothing is to be trusted by the container itself.
      pki: { certificate_authorities: { local: { install_trust: false } } },
    },
  };
}

function redirect(hosts: string[], { BERTH_INGRESS_TLS_PORT: tlsPort }: Settings): object {
  const port = tlsPort === 443 ? '' : `:${tlsPort}`;
  return {
    match: [{ host: hosts }],
    handle: [
      {
        handler: 'static_response',
        // Unlike 301, it keeps the method and the body.
        status_code: 308,
        headers: {
          Location: [`https://{http.request.host}${port}{http.request.uri}`],
          'X-Correlation-Id': ['{http.request.uuid}'],
        },
      },
    ],
    terminal: true,
  };
}

/** Names that mean one machine can be had of its own CA only. */
function policies(settings: Settings, hosts: string[]): object[] {
  const isPublic = (host: string): boolean =>
    settings.BERTH_INGRESS_TLS === 'acme' && !host.endsWith('.localhost');
  return [
    { subjects: hosts.filter(isPublic), issuers: [acme(settings)] },
    { subjects: hosts.filter((host) => !isPublic(host)), issuers: [{ module: 'internal' }] },
  ].filter(({ subjects }) => subjects.length > 0);
}

/**
 * Challenges come in where requests do: at port 80 as HTTP-01, at port 443 as TLS-ALPN-01. The servers that Caddy starts for
 * them beside those are in nobody's way at addresses of the container's own.
 */
function acme(settings: Settings): object {
  const { BERTH_ACME_DIRECTORY: directory, BERTH_ACME_EMAIL: email } = settings;
  const authority = placeAuthority(settings);
  return {
    module: 'acme',
    ...(directory ? { ca: directory } : {}),
    ...(email ? { email } : {}),
    ...(authority ? { trusted_roots_pem_files: [authority] } : {}),
    challenges: {
      http: { alternate_port: WAY_IN_PORT },
      'tls-alpn': { alternate_port: WAY_IN_TLS_PORT },
      bind_host: '127.0.0.1',
    },
  };
}

/** Puts the root of a private directory where Caddy sees it. Named by what it holds: another one is another configuration. */
function placeAuthority({ BERTH_ACME_CA_FILE: file, BERTH_INGRESS_FOLDER: folder }: Settings): string | null {
  if (!file) return null;
  const pem = readFileSync(file);
  const name = `acme-ca-${createHash('sha256').update(pem).digest('hex').slice(0, 12)}.pem`;
  writeFileSync(join(folder, name), pem);
  return `${WAY_IN_FOLDER}/${name}`;
}
