import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, freePort, testIngressImage } from '@berth/testing';

const run = promisify(execFile);
const docker = async (...args: string[]) => (await run('docker', args)).stdout.trim();

export interface AcmeAuthority {
  directory: string;
  /** Its root, as a file. */
  caFile: string;
  ca: string;
  stop(): Promise<void>;
}

/**
 * A second Caddy as a certificate authority that speaks ACME. It is in the host's own network, and for it `host` is at
 * `address`: there it asks at port 80 or 443 whether who wants a certificate has the name.
 */
export async function startAcmeAuthority(
  folder: string,
  host: string,
  address: string,
): Promise<AcmeAuthority> {
  const image = await testIngressImage();
  // The host's address as containers see it.
  const gateway = await docker(
    'network',
    'inspect',
    'bridge',
    '--format',
    '{{(index .IPAM.Config 0).Gateway}}',
  );
  const port = await freePort();
  const name = `berth-test-acme-${port}`;
  mkdirSync(folder, { recursive: true });
  const server = {
    listen: [`${gateway}:${port}`],
    automatic_https: { disable: true },
    tls_connection_policies: [{}],
    routes: [{ handle: [{ handler: 'acme_server', ca: 'local' }] }],
  };
  const config = {
    admin: { disabled: true },
    storage: { module: 'file_system', root: '/acme/data' },
    apps: {
      http: { servers: { acme: server } },
      pki: { certificate_authorities: { local: { install_trust: false } } },
      tls: {
        certificates: { automate: [gateway] },
        automation: { policies: [{ issuers: [{ module: 'internal' }] }] },
      },
    },
  };
  writeFileSync(join(folder, 'caddy.json'), JSON.stringify(config));
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  await docker(
    ...['run', '--detach', '--rm', '--name', name, '--network', 'host', '--user', user],
    ...['--add-host', `${host}:${address}`, '--volume', `${folder}:/acme`, '--env', 'HOME=/acme'],
    ...[image, 'caddy', 'run', '--config', '/acme/caddy.json'],
  );
  const caFile = join(folder, 'data/pki/authorities/local/root.crt');
  const directory = `https://${gateway}:${port}/acme/local/directory`;
  // Who finds it away asks again after a minute only.
  const ca = await eventually(async () => {
    const root = readFileSync(caFile, 'utf8');
    expect(await statusOf(directory, root)).toBe(200);
    return root;
  });
  const stop = async () => void (await docker('rm', '--force', name));
  return { directory, caFile, ca, stop };
}

function statusOf(url: string, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { ca, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
  });
}
