import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem, Service } from '@berth/contracts';
import { REPOSITORY } from '@berth/host';
import { freePort, startPlatform, type ApiClient, type TestPlatform } from '@berth/testing';
import { engineObjects } from './support/engine.js';
import { buildWebImages } from './support/images.js';
import { deploy, expectStatus, newcomer, newProject, postDeployment, services } from './support/people.js';

jest.setTimeout(180_000);

const api = (more = ''): string => `services: { api: { image: "api:1", stop_grace_period: 1s${more} } }`;

/** The policy that the guide shows, to the letter. */
function policyOfTheGuide(id: string): string {
  const guide = readFileSync(join(REPOSITORY, 'docs/guide/policies.md'), 'utf8');
  const [text] = new RegExp(`^    @id\\("${id}"\\)\\n(    .*\\n)+`, 'm').exec(guide) ?? [''];
  return text.replace(/^ {4}/gm, '');
}

const answersAt = (url: string | null): Promise<boolean> =>
  fetch(String(url)).then(
    ({ ok }) => ok,
    () => false,
  );

describe('ports of the host', () => {
  let platform: TestPlatform;
  let dana: ApiClient;
  let mallory: ApiClient;
  let fixed: number;

  /** Without networks: those of new environments are made ahead, when it suits the scheduler. */
  const workloads = (): object => {
    const { services: made, containers } = engineObjects(platform);
    return { made, containers };
  };
  const denied = async (as: ApiClient, project: string, ports: string, policy: string): Promise<void> => {
    const before = workloads();
    const { status, body } = await postDeployment(as, project, api(`, ports: ["${ports}"]`));
    expect([status, body]).toEqual([403, expect.objectContaining({ code: 'POLICY_DENIED' })]);
    expect((body as unknown as Problem & { policies: { id: string }[] }).policies).toMatchObject([
      { id: policy },
    ]);
    expect(workloads()).toEqual(before);
  };
  const portsOf = async (as: ApiClient, project: string): Promise<Service['ports']> =>
    (await services(as, project)).flatMap(({ ports }) => ports);

  beforeAll(async () => {
    await buildWebImages();
    platform = await startPlatform();
    fixed = await freePort();
    dana = await newcomer(platform, 'acme', 'dana');
    mallory = await newcomer(platform, 'rivals', 'mallory');
    await newProject(dana, 'acme', 'shop');
    await newProject(mallory, 'rivals', 'blog');
  });
  afterAll(() => platform?.stop());

  it('below 1024 are nobody’s from the start, not even an admin’s', async () => {
    for (const who of [dana, platform.api]) await denied(who, 'shop', '81:8080', 'no-low-ports');
  });

  it('are published by nobody of a team whose policy says so, whether fixed or chosen by the engine', async () => {
    const text = policyOfTheGuide('acme-no-ports');
    expectStatus(await platform.api.put('/v1/policies/acme-no-ports', { text }), 200);
    await denied(dana, 'shop', `${fixed}:8080`, 'acme-no-ports');
    await denied(dana, 'shop', '8080', 'acme-no-ports');
    await denied(platform.api, 'shop', '8080', 'acme-no-ports');
  });

  it('are not needed by what is reached by the way in', async () => {
    const deployment = await deploy(dana, 'shop', api(', x-berth: { http: 8080 }'));
    expect(deployment).toMatchObject({ status: 'succeeded', reason: null });
    expect(await portsOf(dana, 'shop')).toEqual([]);
  });

  it('are still published by other teams, and by all once the policy is gone', async () => {
    const web = api(`, ports: ["${fixed}:8080"]`);
    expect(await deploy(mallory, 'blog', web)).toMatchObject({ status: 'succeeded', reason: null });
    expect(await portsOf(mallory, 'blog')).toMatchObject([{ target: 8080, published: fixed }]);
    expectStatus(await platform.api.delete('/v1/policies/acme-no-ports'), 204);
    expect(await deploy(dana, 'shop', api(', ports: ["8080"]'))).toMatchObject({ status: 'succeeded' });
    // The engine may pick one for IPv4 and another for IPv6.
    const chosen = await portsOf(dana, 'shop');
    expect(new Set(chosen.map(({ target }) => target))).toEqual(new Set([8080]));
    const answers = await Promise.all(chosen.map(({ url }) => answersAt(url)));
    expect(answers).toContain(true);
  });
});
