import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ingressRpc, schedulerRpc } from '@berth/contracts';
import { eventually, freePort, testIngressImage } from '@berth/testing';
import { webImage } from './engine-bench.js';
import { SchedulerBench } from './scheduler-bench.js';

const run = promisify(execFile);

jest.setTimeout(120_000);

interface Answer {
  status: number;
  body: string;
  correlation: string | undefined;
}

describe('the way in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-ingress-'));
  let bench: SchedulerBench;
  let port: number;
  let shop: { project: string; environment: string };
  const container = () => `berth-${bench.installation}-ingress`;
  const docker = async (...args: string[]) => (await run('docker', args)).stdout;

  function ask(host: string, headers: Record<string, string> = {}, body = Buffer.alloc(0)): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          ...{ host: '127.0.0.1', port, path: '/', method: body.length > 0 ? 'POST' : 'GET' },
          headers: { ...headers, host: `${host}.localhost:${port}` },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              body: text.trim(),
              correlation: response.headers['x-correlation-id']?.toString(),
            }),
          );
        },
      );
      call.on('error', reject);
      call.end(body);
    });
  }

  const answers = (host: string, body: string) =>
    eventually(async () => expect((await ask(host)).body).toBe(body), { timeout: 20_000, interval: 100 });

  const compose = (name: string) => `
services:
  web:
    image: ${name}
    stop_grace_period: 1s
    x-berth: { http: 8080 }
  quiet:
    image: ${name}
    stop_grace_period: 1s
`;

  beforeAll(async () => {
    const image = await testIngressImage();
    port = await freePort();
    bench = await SchedulerBench.start({
      ...{ BERTH_INGRESS_IMAGE: image, BERTH_INGRESS_FOLDER: folder, BERTH_INGRESS_PORT: port },
      SCHEDULER_UPKEEP_SECONDS: 1,
    });
    bench.neighbours.images = { one: await webImage('one', 'one'), two: await webImage('two', 'two') };
    shop = await bench.shop();
    const { id } = await bench.deploy(shop, compose('one'));
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
  });
  afterAll(async () => {
    await bench.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('leads to a service by its host, and says where in the list of services', async () => {
    await answers(`web.dev.${shop.project}`, 'one');
    const services = await bench.services(shop);
    const urls = Object.fromEntries(services.map(({ name, url }) => [name, url]));
    expect(urls).toEqual({ web: `http://web.dev.${shop.project}.localhost:${port}`, quiet: null });
  });

  it('says whether it answers, and where', async () => {
    expect(await bench.call(ingressRpc.read, {})).toEqual({
      ...{ state: 'answers', reason: null, addresses: [`http://127.0.0.1:${port}`] },
      url: `http://<service>.<environment>.<project>.localhost:${port}`,
    });
  });

  it('tells the same service of two environments apart', async () => {
    const staging = { project: shop.project, environment: 'staging' };
    await bench.call(schedulerRpc.createEnvironment, {
      project: shop.project,
      name: 'staging',
      variables: {},
    });
    const { id } = await bench.deploy(staging, compose('two'));
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
    await answers(`web.staging.${shop.project}`, 'two');
    await answers(`web.dev.${shop.project}`, 'one');
  });

  it('knows no other host, and no service that did not ask for a way in', async () => {
    for (const host of ['nobody', `quiet.dev.${shop.project}`]) {
      const { status, body } = await ask(host);
      expect({ status, code: (JSON.parse(body) as { code: string }).code }).toEqual({
        ...{ status: 404, code: 'NOT_FOUND' },
      });
    }
  });

  it('gives each request a correlation id, keeps one that is there, and logs neither cookies nor tokens', async () => {
    const host = `web.dev.${shop.project}`;
    expect((await ask(host)).correlation).toMatch(/^[0-9a-f-]{36}$/);
    const headers = { 'x-correlation-id': 'mine', authorization: 'Bearer planted', cookie: 'a=planted' };
    expect((await ask(host, headers)).correlation).toBe('mine');
    await eventually(() => {
      const log = readFileSync(join(folder, 'access.log'), 'utf8');
      expect(log).toContain('"mine"');
      expect(log).not.toContain('planted');
    });
  });

  it('is out of reach for guests: nothing of it listens in their network', async () => {
    expect(statSync(folder).mode & 0o077).toBe(0);
    const network = `berth-${bench.installation}-${shop.project}-dev`;
    const { NetworkSettings: settings } = (
      JSON.parse(await docker('inspect', container())) as {
        NetworkSettings: { Networks: Record<string, { IPAddress: string }> };
      }[]
    )[0];
    const labels = ['installation', 'environment', 'service'].map((name) => `label=berth.${name}`);
    const values = [bench.installation, 'dev', 'quiet'];
    const filters = labels.flatMap((label, index) => ['--filter', `${label}=${values[index]}`]);
    const guest = (await docker('ps', '--quiet', ...filters)).trim();
    // Of another network, it would ask the world outside for that address.
    expect(await docker('inspect', guest)).toContain(`"${network}"`);
    const address = settings.Networks[network].IPAddress;
    // That a connection comes about proves nothing: only what is answered does.
    const heard = (host: string, target: number) => {
      const probe = `printf 'GET / HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n' | nc -w 2 ${host} ${target} || true`;
      return docker('exec', guest, 'sh', '-c', probe);
    };
    expect(await heard('web', 8080)).toContain('HTTP/1');
    for (const target of [8080, 2019, 80, 443]) expect(await heard(address, target)).toBe('');
  });

  it('serves while the scheduler is away, and after its own restart without it', async () => {
    await bench.stopSchedulers();
    await docker('restart', '--time', '1', container());
    await answers(`web.dev.${shop.project}`, 'one');
    await bench.addScheduler();
    await answers(`web.staging.${shop.project}`, 'two');
  });

  it('does not keep an environment from being removed', async () => {
    await bench.call(schedulerRpc.removeEnvironment, {
      project: shop.project,
      environment: 'staging',
      volumes: false,
    });
    await eventually(async () => expect((await ask(`web.staging.${shop.project}`)).status).toBe(404), {
      timeout: 20_000,
    });
    await answers(`web.dev.${shop.project}`, 'one');
  });
});
