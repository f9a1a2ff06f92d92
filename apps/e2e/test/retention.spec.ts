import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import type { AppliedRetention, Deployment, ImageTag, Page } from '@berth/contracts';
import { makeImage, pushImage, startPlatform, type ApiClient, type TestPlatform } from '@berth/testing';
import { deploy, ended, expectStatus, newcomer, newProject, services } from './support/people.js';

jest.setTimeout(180_000);

describe('a retention rule', () => {
  let platform: TestPlatform;
  let dana: ApiClient;

  beforeAll(async () => {
    platform = await startPlatform();
    dana = await newcomer(platform, 'acme', 'dana', 'maintainer');
    await newProject(dana, 'acme', 'shop');
  });
  afterAll(async () => {
    await platform?.stop();
  });

  /** As if all that was pushed had been pushed, and pulled, long ago. */
  async function letTimePass(): Promise<void> {
    const environment = readFileSync(`/proc/${platform.service('registry-proxy').pid()}/environ`, 'utf8');
    const connectionString = /(?:^|\0)DATABASE_URL=([^\0]+)/.exec(environment)?.[1];
    const client = new Client({ connectionString });
    await client.connect();
    try {
      await client.query(`UPDATE tags SET updated_at = updated_at - interval '40 days'`);
      await client.query(
        `UPDATE manifests SET stored_at = stored_at - interval '40 days', used_at = used_at - interval '40 days'`,
      );
    } finally {
      await client.end();
    }
  }

  it('never takes what runs, or what a rollback leads to, and takes the rest', async () => {
    const repository = 'acme/worker';
    const digests = new Map<string, string>();
    for (const tag of ['1', '2', '3', '4', '5']) {
      const image = await makeImage({
        name: repository,
        files: { '/version': { content: tag } },
        cmd: ['sleep', '1000'],
      });
      digests.set(tag, image.digest);
      const authorization = `Bearer ${dana.token}`;
      await pushImage(image, `http://${platform.registry}`, { repository, tag, authorization });
    }
    for (const tag of ['1', '2', '3']) {
      const file = `services: { worker: { image: "${platform.registry}/${repository}:${tag}", init: true } }`;
      expect(await deploy(dana, 'shop', file)).toMatchObject({ status: 'succeeded', reason: null });
    }
    await letTimePass();

    const scope = 'scope=acme';
    const rule = { keepLast: 1, olderThanSeconds: 30 * 86_400 };
    expectStatus(await dana.put(`/v1/retention?${scope}`, rule), 200);
    const going = expectStatus(
      await dana.post<AppliedRetention>(`/v1/retention/preview?${scope}`, rule),
      200,
    );
    expect(going.tags.map(({ tag }) => tag).sort()).toEqual(['1', '4']);
    expect(going.images.map(({ digest }) => digest).sort()).toEqual(
      [digests.get('1'), digests.get('4')].sort(),
    );
    expect(expectStatus(await dana.post(`/v1/retention/apply?${scope}`, {}), 200)).toMatchObject({
      ...going,
      denied: [],
    });

    const left = expectStatus(
      await dana.get<Page<ImageTag>>(`/v1/images/tags?repository=${encodeURIComponent(repository)}`),
      200,
    );
    expect(left.items.map(({ name }) => name)).toEqual(['2', '3', '5']);
    // And the rollback is still to be had, from whatever node.
    const { id } = expectStatus(
      await dana.post<Deployment>('/v1/projects/shop/environments/dev/rollbacks', {}),
      202,
    );
    expect(await ended(dana, id)).toMatchObject({ status: 'succeeded', reason: null });
    const [{ image }] = await services(dana, 'shop');
    expect(image).toContain(`${repository}:2`);
  });
});
