import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { schedulerRpc } from '@berth/contracts';
import { eventually, freePort, testIngressImage } from '@berth/testing';
import { webImage } from './engine-bench.js';
import { SchedulerBench } from './scheduler-bench.js';

jest.setTimeout(120_000);

type Shop = { project: string; environment: string };

describe('host names of their own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-hosts-'));
  let bench: SchedulerBench;
  let port: number;
  let shop: Shop;
  let other: Shop;

  function bodyAt(host: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port, headers: { host }, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () =>
          resolve(response.statusCode === 200 ? text.trim() : `${response.statusCode}`),
        );
      });
      call.on('error', reject).end();
    });
  }
  const answers = (host: string, body: string) =>
    eventually(async () => expect(await bodyAt(host)).toBe(body), { timeout: 20_000, interval: 100 });

  const compose = (image: string, ...hosts: string[]) => `
services:
  web:
    image: ${image}
    stop_grace_period: 1s
    x-berth: { http: 8080, hosts: [${hosts.join(', ')}] }
`;
  const deploy = async (place: Shop, file: string) => {
    const { id } = await bench.deploy(place, file);
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded' });
  };
  const claims = async (): Promise<string[]> => {
    const { rows } = await bench.sql.query<{ host: string }>('SELECT host FROM host_claims ORDER BY host');
    return rows.map(({ host }) => host);
  };

  beforeAll(async () => {
    port = await freePort();
    bench = await SchedulerBench.start({
      ...{ BERTH_INGRESS_IMAGE: await testIngressImage(), BERTH_INGRESS_FOLDER: folder },
      ...{ BERTH_INGRESS_PORT: port, SCHEDULER_UPKEEP_SECONDS: 1 },
    });
    bench.neighbours.images = { one: await webImage('one', 'one'), two: await webImage('two', 'two') };
    shop = await bench.shop({ HOST: 'shop.example.org' });
    other = await bench.shop({ HOST: 'shop.example.net' });
  });
  afterAll(async () => {
    await bench.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lead to the service of the environment whose variables name them, beside its other name', async () => {
    await deploy(shop, compose('one', '"${HOST}"', '"www.${HOST}"'));
    await deploy(other, compose('two', '"${HOST}"'));
    for (const host of ['shop.example.org', `www.shop.example.org:${port}`]) await answers(host, 'one');
    await answers('shop.example.net', 'two');
    await answers(`web.dev.${other.project}.localhost`, 'two');
    expect(await bodyAt('example.org')).toBe('404');
    expect(await bench.services(shop)).toMatchObject([
      { url: `http://shop.example.org:${port}`, hosts: ['shop.example.org', 'www.shop.example.org'] },
    ]);
  });

  it('belong to one environment: nothing is done where another has one', async () => {
    const asked = bench.deploy(other, compose('two', 'new.example.net', 'www.shop.example.org'));
    await expect(asked).rejects.toMatchObject({
      code: 'HOST_IN_USE',
      extensions: { host: 'www.shop.example.org' },
    });
    expect(await claims()).toEqual(['shop.example.net', 'shop.example.org', 'www.shop.example.org']);
    await answers('www.shop.example.org', 'one');
  });

  it('go to one of two that ask for them at once', async () => {
    const both = await Promise.allSettled(
      [shop, other].map((place) => bench.deploy(place, compose('one', '"${HOST}"', 'both.example.org'))),
    );
    const refused = both.filter((result) => result.status === 'rejected');
    expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual(['HOST_IN_USE']);
    const taken = both.find((result) => result.status === 'fulfilled');
    expect(await bench.finished(taken?.value.id ?? '')).toMatchObject({ status: 'succeeded' });
    await answers('both.example.org', 'one');
  });

  it('are judged by policy, and are none below the domain of the platform', async () => {
    await expect(bench.deploy(shop, compose('one', 'web.dev.other.localhost'))).rejects.toMatchObject({
      code: 'COMPOSE_INVALID',
      message: expect.stringContaining('below "localhost"'),
    });
    bench.neighbours.decide.set(shop.project, ({ context }) => ({
      allowed: !('hosts' in context) || !(context.hosts as string[]).includes('bad.example.org'),
    }));
    await expect(bench.deploy(shop, compose('one', 'bad.example.org'))).rejects.toMatchObject({
      code: 'POLICY_DENIED',
    });
  });

  it('are let go by a deployment without them that has succeeded, and with their environment', async () => {
    await deploy(shop, compose('one', '"${HOST}"'));
    await deploy(other, compose('two', 'www.shop.example.org'));
    await answers('www.shop.example.org', 'two');
    expect(await claims()).toEqual(['shop.example.org', 'www.shop.example.org']);
    await bench.call(schedulerRpc.removeEnvironment, { ...shop, volumes: true });
    await deploy(other, compose('two', 'shop.example.org'));
    await answers('shop.example.org', 'two');
    await answers('www.shop.example.org', '404');
    expect(await claims()).toEqual(['shop.example.org']);
  });

  it('stay where they are when a deployment fails', async () => {
    const broken = compose('one', 'next.example.org').replace('http: 8080', 'http: 8081');
    const { id } = await bench.deploy(
      other,
      `${broken}    healthcheck: { test: exit 1, interval: 1s, retries: 1 }\n`,
    );
    expect(await bench.finished(id, 60)).toMatchObject({ status: 'failed' });
    expect(await claims()).toEqual(['shop.example.org']);
    await answers('shop.example.org', 'two');
    await answers('next.example.org', '404');
  });
});
