import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { randomInt } from 'node:crypto';
import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { certificateRpc } from '@berth/contracts';
import { eventually, freePort, testIngressImage } from '@berth/testing';
import { startAcmeAuthority, type AcmeAuthority } from './acme-authority.js';
import { webImage } from './engine-bench.js';
import { makeCertificate } from './own-certificate.js';
import { principal, SchedulerBench } from './scheduler-bench.js';

const run = promisify(execFile);

jest.setTimeout(240_000);

interface At {
  address: string;
  port: number;
  host: string;
  ca?: string;
}

/** The certificate shown for a host, once the handshake has succeeded under this CA. */
function certificateAt({ address, port, host, ca }: At): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: address, port, servername: host, ca }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

function bodyAt({ address, port, host, ca }: At): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, servername: host, headers: { host }, ca, agent: false };
    const call = secureRequest(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(response.statusCode === 200 ? text.trim() : `${response.statusCode}`));
    });
    call.on('error', reject).end();
  });
}

/** Status and `Location` of an answer in the clear. */
function plainAt({ address, port, host }: At, method = 'GET'): Promise<(number | string | undefined)[]> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, method, path: '/a?b=c', headers: { host }, agent: false };
    const call = request(options, (response) => {
      response.resume();
      resolve([response.statusCode, response.headers.location]);
    });
    call.on('error', reject).end();
  });
}

function http2At({ address, port, host, ca }: At): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`https://${host}:${port}`, { host: address, port, servername: host, ca });
    session.on('error', reject);
    const stream = session.request({ ':path': '/' });
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    stream.on('end', () => {
      session.close();
      resolve(`${session.alpnProtocol}: ${text.trim()}`);
    });
  });
}

const soon = { timeout: 30_000, interval: 100 };
const compose = (...hosts: string[]) => `
services:
  web:
    image: one
    stop_grace_period: 1s
    x-berth: { http: 8080, hosts: [${hosts.join(', ')}] }
`;

describe('TLS with a CA of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-tls-'));
  const address = '127.0.0.1';
  let bench: SchedulerBench;
  let ports: { plain: number; tls: number };
  let derived: string;
  let ca: string;
  const own = 'shop.example.org';
  const at = (host: string): At => ({ address, port: ports.tls, host, ca });

  beforeAll(async () => {
    ports = { plain: await freePort(), tls: await freePort() };
    bench = await SchedulerBench.start({
      ...{ BERTH_INGRESS_IMAGE: await testIngressImage(), BERTH_INGRESS_FOLDER: folder },
      ...{ BERTH_INGRESS_TLS: 'internal', BERTH_INGRESS_PORT: ports.plain },
      ...{ BERTH_INGRESS_TLS_PORT: ports.tls, SCHEDULER_UPKEEP_SECONDS: 1 },
    });
    bench.neighbours.images = { one: await webImage('one', 'one') };
    const shop = await bench.shop();
    derived = `web.dev.${shop.project}.localhost`;
    const { id } = await bench.deploy(shop, compose(own));
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
    expect((await bench.services(shop))[0].url).toBe(`https://${own}:${ports.tls}`);
    ca = readFileSync(join(folder, 'data/caddy/pki/authorities/local/root.crt'), 'utf8');
  });
  afterAll(async () => {
    await bench.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers at all names of a service, whose clients trust that CA and no other', async () => {
    for (const host of [own, derived])
      await eventually(async () => expect(await bodyAt(at(host))).toBe('one'), soon);
    await expect(certificateAt({ ...at(own), ca: undefined })).rejects.toThrow(/self.signed|unable to/);
  });

  it('speaks HTTP/2', async () => {
    await eventually(async () => expect(await http2At(at(own))).toBe('h2: one'), soon);
  });

  it('has no certificate for other names, and makes none when asked', async () => {
    for (const host of ['other.example.org', `web.prod.${derived.split('.')[2]}.localhost`])
      await expect(certificateAt(at(host))).rejects.toThrow(/alert/);
  });

  it('leads there what comes in the clear, with its method, path and query', async () => {
    const plain = { address, port: ports.plain, host: `${own}:${ports.plain}` };
    for (const method of ['GET', 'POST'])
      expect(await plainAt(plain, method)).toEqual([308, `https://${own}:${ports.tls}/a?b=c`]);
    expect(await plainAt({ ...plain, host: 'other.example.org' })).toEqual([404, undefined]);
  });

  it('answers over TLS where requests come in, and not in the networks of guests', async () => {
    const docker = async (...args: string[]) => (await run('docker', args)).stdout.trim();
    const network = `berth-${bench.installation}-${derived.split('.')[2]}-dev`;
    const addressIn = (name: string) =>
      docker(
        ...['inspect', `berth-${bench.installation}-ingress`, '--format'],
        `{{(index .NetworkSettings.Networks "${name}").IPAddress}}`,
      );
    const guest = await docker(
      'ps',
      '--quiet',
      '--filter',
      `network=${network}`,
      '--filter',
      'label=berth.service=web',
    );
    // In the clear: a server for TLS that hears it says so.
    const said = (target: string) => {
      const probe = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${target} 8443 || true`;
      return docker('exec', guest, 'sh', '-c', probe);
    };
    expect(await said(await addressIn(network))).toBe('');
    const outside = { address, port: ports.tls, host: own };
    expect(await plainAt(outside)).toEqual([400, undefined]);
  });

  it('shows a certificate that was brought instead, in all names that it stands for, until it is removed', async () => {
    const root = principal('root', 'acme', true);
    const pair = await makeCertificate(['*.example.org', own]);
    const made = await certificateAt(at(own));
    const brought = await bench.call(certificateRpc.set, { host: own, ...pair }, root);
    const shown = { ...at(own), ca: pair.certificate };
    await eventually(async () => {
      const { fingerprint256 } = await certificateAt(shown);
      expect(fingerprint256.replaceAll(':', '').toLowerCase()).toBe(brought.fingerprint);
    }, soon);
    expect(await bodyAt(shown)).toBe('one');
    await certificateAt({ ...shown, host: 'any.example.org' });
    // The other name still has the one that is made.
    expect(await bodyAt(at(derived))).toBe('one');
    await bench.call(certificateRpc.remove, { host: own }, root);
    await eventually(async () => {
      expect((await certificateAt(at(own))).issuer).toEqual(made.issuer);
    }, soon);
  });

  it('keeps its certificates through restarts, with the scheduler away', async () => {
    const { fingerprint256 } = await certificateAt(at(own));
    await bench.stopSchedulers();
    await run('docker', ['restart', '--time', '1', `berth-${bench.installation}-ingress`]);
    await eventually(async () => {
      expect((await certificateAt(at(own))).fingerprint256).toBe(fingerprint256);
      expect(await bodyAt(at(own))).toBe('one');
    }, soon);
    await bench.addScheduler();
  });
});

describe('TLS by ACME', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-acme-'));
  const own = 'shop.example.org';
  // Where an authority asks is not to be chosen: at ports 80 and 443. So it is an address of this test's own.
  const address = `127.80.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  let authority: AcmeAuthority;
  let bench: SchedulerBench;

  beforeAll(async () => {
    authority = await startAcmeAuthority(join(folder, 'authority'), own, address);
    bench = await SchedulerBench.start({
      ...{ BERTH_INGRESS_IMAGE: await testIngressImage(), BERTH_INGRESS_FOLDER: join(folder, 'ingress') },
      ...{ BERTH_INGRESS_HOST: address, BERTH_INGRESS_PORT: 80, BERTH_INGRESS_TLS_PORT: 443 },
      ...{ BERTH_INGRESS_TLS: 'acme', BERTH_ACME_DIRECTORY: authority.directory },
      ...{ BERTH_ACME_CA_FILE: authority.caFile, BERTH_ACME_EMAIL: 'ops@example.org' },
      SCHEDULER_UPKEEP_SECONDS: 1,
    });
    bench.neighbours.images = { one: await webImage('one', 'one') };
  });
  afterAll(async () => {
    await bench.stop();
    await authority.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gets a certificate for a name before anyone asks for it, and answers with it', async () => {
    const shop = await bench.shop();
    const { id } = await bench.deploy(shop, compose(own));
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
    const at = { address, port: 443, host: own, ca: authority.ca };
    // Where the authority could not look in time, the way in asks it again after a minute.
    await eventually(async () => expect(await bodyAt(at)).toBe('one'), { ...soon, timeout: 150_000 });
    const { subjectaltname, issuer } = await certificateAt(at);
    expect([subjectaltname, issuer.CN]).toEqual([
      `DNS:${own}`,
      expect.stringMatching(/^Caddy Local Authority/),
    ]);
    expect((await bench.services(shop))[0].url).toBe(`https://${own}`);
    expect(await plainAt({ ...at, port: 80 })).toEqual([308, `https://${own}/a?b=c`]);
    // No authority can ask there: such a name is the platform's own to certify.
    const local = { ...at, host: `web.dev.${shop.project}.localhost` };
    await expect(certificateAt(local)).rejects.toThrow(/self.signed|unable to/);
    const root = join(folder, 'ingress/data/caddy/pki/authorities/local/root.crt');
    expect(await bodyAt({ ...local, ca: readFileSync(root, 'utf8') })).toBe('one');
  });
});
