import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { IncomingMessage } from 'node:http';
import { ingressRpc } from '@berth/contracts';
import { eventually, freePort, testIngressImage, testInstallation } from '@berth/testing';
import { connectDocker } from '../src/engine/swarm/docker-client.js';
import { SwarmObjects } from '../src/engine/swarm/swarm-objects.js';
import { WayInContainer } from '../src/engine/swarm/way-in-container.js';
import { webImage } from './engine-bench.js';
import { docker } from './guest-connections.js';
import { SchedulerBench } from './scheduler-bench.js';

jest.setTimeout(120_000);

/** A round and a start of Caddy. */
const SOON = { timeout: 15_000, interval: 100 };

describe('the way in, when something is done to it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-ingress-'));
  const installation = testInstallation();
  const container = `berth-${installation}-ingress`;
  let bench: SchedulerBench;
  let port: number;
  let shop: { project: string; environment: string };
  let squatter: Server;
  const network = () => `berth-${installation}-${shop.project}-dev`;

  const compose = (more: string) => `services: { web: { image: one, stop_grace_period: 1s${more} } }`;
  const WITH_WAY_IN = compose(', x-berth: { http: 8080 }');

  async function ask(): Promise<string> {
    const headers = { host: `web.dev.${shop.project}.localhost:${port}` };
    const call = request({ host: '127.0.0.1', port, agent: false, timeout: 2_000, headers });
    call.on('timeout', () => call.destroy(new Error('no answer')));
    call.end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    return (await text(response)).trim();
  }
  /** With the container, which may be there again. */
  const removeNetwork = () =>
    eventually(async () => {
      await docker('rm', '-f', container);
      await docker('network', 'rm', container);
    });
  const answers = () => eventually(async () => expect(await ask()).toBe('one'), SOON);

  beforeAll(async () => {
    port = await freePort();
    squatter = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    // As one that was killed between the two leaves it: with a subnet that nobody named.
    await docker('network', 'create', '--label', `berth.installation=${installation}`, container);
    bench = await SchedulerBench.start({
      ...{ BERTH_INSTALLATION: installation, BERTH_INGRESS_IMAGE: await testIngressImage() },
      ...{ BERTH_INGRESS_FOLDER: folder, BERTH_INGRESS_PORT: port, SCHEDULER_UPKEEP_SECONDS: 1 },
    });
    bench.neighbours.images = { one: await webImage('one', 'one') };
    shop = await bench.shop();
  });
  afterAll(async () => {
    squatter?.close();
    await bench?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('cannot start: deployments of what needs it say so, soon; others are none the worse for it', async () => {
    const other = await bench.shop();
    const [bad, good] = await Promise.all([
      bench.deploy(shop, WITH_WAY_IN),
      bench.deploy(other, compose('')),
    ]);
    expect(await bench.finished(good.id)).toMatchObject({ status: 'succeeded', reason: null });
    const { status, reason } = await bench.finished(bad.id);
    expect(status).toBe('failed');
    expect(reason).toContain(`The way in cannot start: the port 127.0.0.1:${port} is taken.`);
    expect(reason).toContain('Nothing ran before, so nothing runs now.');
    expect(await bench.call(ingressRpc.read, {})).toMatchObject({
      state: 'broken',
      reason: `The way in cannot start: the port 127.0.0.1:${port} is taken. Free it, or choose another with BERTH_INGRESS_PORT.`,
      addresses: [`http://127.0.0.1:${port}`],
    });
  });

  it('starts by itself when the port is free, also where its network was left half made', async () => {
    squatter.close();
    await once(squatter, 'close');
    const { id } = await bench.deploy(shop, WITH_WAY_IN);
    expect(await bench.finished(id)).toMatchObject({ status: 'succeeded', reason: null });
    await answers();
    await eventually(async () => {
      expect(await bench.call(ingressRpc.read, {})).toMatchObject({ state: 'answers', reason: null });
    }, SOON);
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'taken out of the network of an environment',
      () => docker('network', 'disconnect', '-f', network(), container),
    ],
    ['taken out of its own network', () => docker('network', 'disconnect', '-f', container, container)],
    ['removed', () => docker('rm', '-f', container)],
    ['killed', () => docker('kill', container)],
    [
      'removed with its network and what it had saved',
      async () => {
        await removeNetwork();
        rmSync(join(folder, 'config'), { recursive: true, force: true });
      },
    ],
    [
      'removed with its network, whose addresses are no longer free',
      async () => {
        const format = '{{(index .IPAM.Config 0).Subnet}}';
        const subnet = (await docker('network', 'inspect', container, '-f', format)).trim();
        const label = ['--label', `berth.installation=${installation}`];
        await removeNetwork();
        await docker('network', 'create', ...label, '--subnet', subnet, `${container}-taken`);
      },
    ],
  ])('answers again within a round when it was %s', async (_name, fault) => {
    await answers();
    await fault();
    await answers();
    await eventually(async () => {
      const [found] = JSON.parse(await docker('inspect', container)) as [Inspected];
      expect(Object.keys(found.NetworkSettings.Networks).sort()).toContain(network());
      expect(found.NetworkSettings.Networks[container]?.IPAddress).toMatch(/^\d/);
    }, SOON);
    await answers();
  });

  it('says which image it lacks', async () => {
    const client = connectDocker(bench.dockerHost);
    const other = testInstallation();
    const options = { installation: other, image: 'berth-none:1', folder, host: '127.0.0.1', port };
    const wayIn = new WayInContainer(client, new SwarmObjects(client, other, null), options);
    await expect(wayIn.ensure()).rejects.toMatchObject({
      code: 'WAY_IN_UNAVAILABLE',
      message: expect.stringContaining('its image berth-none:1 is not there') as string,
    });
    await docker('network', 'rm', `berth-${other}-ingress`);
  });
});

interface Inspected {
  NetworkSettings: { Networks: Record<string, { IPAddress: string } | undefined> };
}
