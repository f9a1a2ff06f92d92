import { schedulerRpc, secretRpc, type Deployment } from '@berth/contracts';
import { docker, eventually, testEngine, type TestService } from '@berth/testing';
import { scriptImage, textAt, webImage } from './engine-bench.js';
import { EngineTap } from './engine-tap.js';
import { SchedulerBench } from './scheduler-bench.js';

jest.setTimeout(300_000);

interface Place {
  project: string;
  environment: string;
}

/** A scheduler as a process, whose way to the engine can be cut at any change that it asks for. */
class Victim {
  private constructor(
    readonly bench: SchedulerBench,
    readonly tap: EngineTap,
    private process: TestService,
  ) {}

  static async start(): Promise<Victim> {
    const tap = new EngineTap(await testEngine());
    await tap.open();
    const bench = await SchedulerBench.start({ DOCKER_HOST: tap.address, SCHEDULER_UPKEEP_SECONDS: 1 });
    const [one, two, crash] = await Promise.all([
      webImage('web-one', 'one'),
      webImage('web-two', 'two'),
      scriptImage('crash', 'exit 3'),
    ]);
    bench.neighbours.images = { one, two, crash };
    return new Victim(bench, tap, await bench.startProcess());
  }

  async stop(): Promise<void> {
    this.tap.release();
    await this.process.kill();
    await this.bench.stop();
    this.tap.close();
  }

  async kill(): Promise<void> {
    await this.process.kill('SIGKILL');
    this.tap.release();
    await this.process.start();
  }

  /** A secret, so that there is something in the engine beside the service and its network. */
  async shop(): Promise<Place> {
    const place = await this.bench.shop();
    const value = Buffer.from('a key').toString('base64');
    await this.bench.call(secretRpc.set, { ...place, name: 'KEY', value });
    return place;
  }

  deploy(place: Place, image: string): Promise<Deployment> {
    const web = `web: { image: ${image}, ports: ["8080"], secrets: [KEY] }`;
    return this.bench.deploy(place, `services: { ${web} }\nsecrets: { KEY: }`);
  }

  async objects(kind: 'service' | 'secret' | 'network', { project }: Place): Promise<number> {
    const labels = { installation: this.bench.installation, project };
    const filters = Object.entries(labels).flatMap(([name, value]) => [
      '--filter',
      `label=berth.${name}=${value}`,
    ]);
    const found = await docker(await testEngine(), kind, 'ls', '--quiet', ...filters);
    return found.split('\n').filter(Boolean).length;
  }
}

/** What runs is `image`, or nothing at all, and there is nothing beside it. */
async function expectOnly(victim: Victim, place: Place, image: string | null): Promise<void> {
  await eventually(
    async () => {
      const services = await victim.bench.services(place);
      expect(services.map(({ replicas }) => replicas)).toEqual(image ? [{ running: 1, desired: 1 }] : []);
      if (image) expect(await textAt(services[0].ports[0].url ?? '')).toBe(image);
      expect([await victim.objects('service', place), await victim.objects('secret', place)]).toEqual(
        image ? [1, 1] : [0, 0],
      );
      expect(await victim.objects('network', place)).toBeLessThanOrEqual(1);
      const { release } = await victim.bench.call(schedulerRpc.getEnvironment, place);
      expect(release === null).toBe(image === null);
    },
    { timeout: 30_000, interval: 200 },
  );
}

/**
 * Kills the scheduler at each change of a rollout, once before the engine hears of it and once when it is done, until a
 * rollout has no such change any more. Answers which changes these were.
 */
async function killAtEach(
  victim: Victim,
  when: 'before' | 'after',
  begin: () => Promise<{ place: Place; deployment: Deployment }>,
  end: (place: Place, deployment: Deployment) => Promise<void>,
): Promise<string[]> {
  const changes: string[] = [];
  for (let number = 1; ; number += 1) {
    const caught = victim.tap.catch(number, when);
    const { place, deployment } = await begin();
    const change = await Promise.race([caught, victim.bench.finished(deployment.id).then(() => null)]);
    if (change === null) return changes;
    changes.push(change);
    await victim.kill();
    await end(place, await victim.bench.finished(deployment.id));
  }
}

describe.each(['before', 'after'] as const)('a scheduler that is killed %s each change it makes', (when) => {
  it.concurrent('brings a first deploy to its end', async () => {
    const victim = await Victim.start();
    const begin = async () => {
      const place = await victim.shop();
      return { place, deployment: await victim.deploy(place, 'one') };
    };
    const changes = await killAtEach(victim, when, begin, async (place, deployment) => {
      expect([deployment.status, deployment.reason]).toEqual(['succeeded', null]);
      await expectOnly(victim, place, 'one');
    });
    expect(changes).toEqual(['POST /networks/create', 'POST /secrets/create', 'POST /services/create']);
    await victim.stop();
  });

  it.concurrent('brings an update to its end', async () => {
    const victim = await Victim.start();
    const place = await victim.shop();
    let [image, other] = ['one', 'two'];
    victim.tap.release();
    expect(await victim.bench.finished((await victim.deploy(place, image)).id)).toMatchObject({
      status: 'succeeded',
    });
    const begin = async () => {
      [image, other] = [other, image];
      return { place, deployment: await victim.deploy(place, image) };
    };
    const changes = await killAtEach(victim, when, begin, async (_place, deployment) => {
      expect([deployment.status, deployment.reason]).toEqual(['succeeded', null]);
      await expectOnly(victim, place, image);
    });
    expect(changes).toEqual(['POST /services/create', 'DELETE /services/…']);
    await victim.stop();
  });

  it.concurrent('takes back what does not come up', async () => {
    const victim = await Victim.start();
    const place = await victim.shop();
    expect(await victim.bench.finished((await victim.deploy(place, 'one')).id)).toMatchObject({
      status: 'succeeded',
    });
    const begin = async () => ({ place, deployment: await victim.deploy(place, 'crash') });
    const changes = await killAtEach(victim, when, begin, async (_place, deployment) => {
      expect(deployment.status).toBe('failed');
      expect(deployment.reason).toContain('serves');
      await expectOnly(victim, place, 'one');
    });
    expect(changes.length).toBeGreaterThanOrEqual(2);
    await victim.stop();
  });
});
