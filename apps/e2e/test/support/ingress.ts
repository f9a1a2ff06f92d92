import { get } from 'node:http';
import type { TestPlatform } from '@berth/testing';

/** What a host name shows where requests come in: status and text. Each time on a new connection. */
export function ingressPage({ ingress }: TestPlatform, name: string): Promise<string> {
  const [host, port] = ingress.split(':');
  const headers = { host: `${name}:${port}` };
  return new Promise((resolve, reject) => {
    get({ host, port, headers, agent: false, timeout: 5_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve(`${response.statusCode} ${text}`));
    })
      .on('timeout', (): void => void reject(new Error('no answer')))
      .on('error', reject);
  });
}
