import { execFileSync } from 'node:child_process';
import type { AuditRecord, ChangedEnvironment, Environment, Page } from '@berth/contracts';
import { type ApiClient, eventually, startPlatform, type TestPlatform } from '@berth/testing';
import { buildWebImages, composeFile } from './support/images.js';
import { deploy, ended, expectStatus, newcomer, newProject } from './support/people.js';

jest.setTimeout(180_000);
const SOON = { timeout: 40_000, interval: 200 };

const FEW = `@id("few-processes")
@message("{resource.name} may run {context.pids} processes.")
forbid (principal, action == Berth::Action::"instance.run.after", resource)
when { context.pids > 100 };`;

describe('what the engine starts anew', () => {
  let platform: TestPlatform;
  let dana: ApiClient;

  const docker = (...args: string[]): string[] =>
    execFileSync('docker', ['-H', platform.dockerHost, ...args], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean);
  const containersOf = (service: string): string[] => {
    const labels = { installation: platform.installation, project: 'shop', service };
    const filters = Object.entries(labels).flatMap(([name, value]) => [
      '--filter',
      `label=berth.${name}=${value}`,
    ]);
    return docker('ps', '--quiet', '--no-trunc', ...filters);
  };
  const shop = async (): Promise<Environment> =>
    expectStatus(await platform.api.get<Environment>('/v1/projects/shop/environments/dev'), 200);
  const halted = async (): Promise<string[]> => (await shop()).halted.map(({ service }) => service);

  beforeAll(async () => {
    await buildWebImages();
    platform = await startPlatform();
    dana = await newcomer(platform, 'acme', 'dana');
    await newProject(dana, 'acme', 'shop');
    expect(await deploy(dana, 'shop', composeFile())).toMatchObject({ status: 'succeeded' });
  });
  afterAll(() => platform?.stop());

  it('is judged by the policies of that moment, and stops with its service where they deny it', async () => {
    expectStatus(await platform.api.put('/v1/policies/few-processes', { text: FEW }), 200);
    docker('kill', ...containersOf('api'));
    const message = 'shop.dev.api may run 512 processes.';
    await eventually(async () => {
      expect((await shop()).halted).toMatchObject([
        { service: 'api', policies: [{ id: 'few-processes', message }] },
      ]);
      expect(containersOf('api')).toEqual([]);
    }, SOON);
    // What ran before the policy goes on, until it is started anew as well.
    expect(containersOf('web')).toHaveLength(1);
    const url = '/v1/audit/records?project=shop&action=instance.run';
    await eventually(async () => {
      const { items } = expectStatus(await platform.api.get<Page<AuditRecord>>(url), 200);
      expect(items).toMatchObject([
        { actor: 'dana', outcome: 'denied', code: 'POLICY_DENIED', policies: [{ id: 'few-processes' }] },
      ]);
    });
  });

  it('runs again once it is allowed and restarted', async () => {
    expectStatus(await platform.api.delete('/v1/policies/few-processes'), 204);
    const restart = '/v1/projects/shop/environments/dev/services/api/restart';
    const { deployment } = expectStatus(await dana.post<ChangedEnvironment>(restart, {}), 202);
    expect(await ended(dana, deployment?.id ?? '')).toMatchObject({ status: 'succeeded' });
    expect(await halted()).toEqual([]);
    expect(containersOf('api')).toHaveLength(1);
  });

  it('goes on where only who deployed it is gone', async () => {
    expectStatus(await platform.api.delete('/v1/users/dana'), 204);
    const before = containersOf('api');
    docker('kill', ...before);
    const [anew] = await eventually(() => {
      const found = containersOf('api').filter((id) => !before.includes(id));
      expect(found).toHaveLength(1);
      return found;
    }, SOON);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(containersOf('api')).toEqual([anew]);
    expect(await halted()).toEqual([]);
  });
});
