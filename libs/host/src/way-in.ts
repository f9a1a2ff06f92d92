import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { HostSettings, PortName } from './env.js';

/** Where a service answers that speaks HTTP. With no place: a pattern of it, for people. */
export function serviceUrl(
  { ingress }: Pick<HostSettings, 'ingress'>,
  ports: Record<PortName, number>,
  place = '<service>.<environment>.<project>',
): string {
  const host = `${place}.${ingress.domain}`;
  return ingress.tls.mode === 'off'
    ? `http://${host}:${ports.ingress}`
    : `https://${host}:${ports['ingress-tls']}`;
}

/** The address at which this machine reaches the way in: one that means all of them is no address to ask. */
export function wayInAddress({ ingress: { host } }: Pick<HostSettings, 'ingress'>): string {
  return { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
}

/**
 * A command that asks a service from this machine, whatever DNS says of its name: curl takes names below `localhost` for
 * this machine by itself (7.85 and later), and is told of all others. `authority`: the root that its certificate is held to.
 */
export function curlCommand(url: string, address: string, authority?: string): string {
  const { hostname, port, protocol } = new URL(url);
  const known = hostname.endsWith('.localhost') && address === '127.0.0.1';
  const at = address.includes(':') ? `[${address}]` : address;
  const resolve = known
    ? []
    : ['--resolve', `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}:${at}`];
  const trust = authority && protocol === 'https:' ? ['--cacert', authority] : [];
  return ['curl', ...resolve, ...trust, url].join(' ');
}

const ANSWER_MS = 2_000;

/**
 * Whether a service answers a request with success where requests come in, asked at its address and for its name, so that DNS
 * plays no part. Whose certificate it shows is not what is asked.
 */
export function answersAt(url: string, address: string): Promise<boolean> {
  const { hostname, host, port, protocol } = new URL(url);
  const secure = protocol === 'https:';
  const options = {
    ...{ host: address, port: port || undefined, path: '/', timeout: ANSWER_MS, agent: false as const },
    headers: { host },
  };
  return new Promise((resolve) => {
    const call = secure
      ? requestHttps({ ...options, servername: hostname, rejectUnauthorized: false })
      : requestHttp(options);
    call.on('response', (response) => {
      response.destroy();
      const status = response.statusCode ?? 0;
      resolve(status >= 200 && status < 300);
    });
    call.on('timeout', () => call.destroy());
    // Destroyed without an error when it takes too long: then only this tells.
    call.on('close', () => resolve(false));
    call.on('error', () => resolve(false));
    call.end();
  });
}
