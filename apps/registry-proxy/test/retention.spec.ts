import { randomBytes } from 'node:crypto';
import {
  policyRpc,
  registryRpc,
  type AppliedRetention,
  type Principal,
  type SetScopedRetention,
} from '@berth/contracts';
import {
  createTestDatabase,
  eventually,
  makeImage,
  pushImage,
  startTestService,
  testEngine,
  testNats,
  type TestDatabase,
  type TestImage,
  type TestService,
} from '@berth/testing';
import { RetentionRounds } from '../src/retention/retention-rounds.js';
import { People } from './people.js';
import { RegistryUnderTest } from './registry-under-test.js';
import { Told } from './told.js';

/** Policy that keeps releases, whoever set the rule. */
const KEEP_RELEASES = `@id("keep-releases") @message("Releases stay.")
  forbid (principal, action in [Berth::Action::"image.delete"], resource is Berth::Image)
  when { context has reference && context.reference like "release-*" };`;

describe('images that go by a rule', () => {
  let people: People;
  let told: Told;
  let registry: RegistryUnderTest;
  let scheduler: TestService;
  let schedules: TestDatabase;
  let maintainer: Principal;
  let ann: Principal;

  beforeAll(async () => {
    people = await People.start();
    told = await Told.start();
    registry = await RegistryUnderTest.start({ token: people.developer });
    schedules = await createTestDatabase('scheduler');
    scheduler = await startTestService('scheduler', {
      ...(await testNats('scheduler')).env,
      DATABASE_URL: schedules.url,
      DOCKER_HOST: await testEngine(),
      BERTH_SECRETS_KEY: randomBytes(32).toString('base64'),
      LOG_LEVEL: 'error',
    });
    ann = await people.principal(people.developer);
    await people.rpc.call(policyRpc.createUser, { name: 'mae' }, people.admin);
    const role = { team: 'acme', user: 'mae', role: 'maintainer' } as const;
    await people.rpc.call(policyRpc.setMember, role, people.admin);
    const { token } = await people.rpc.call(
      policyRpc.createToken,
      { user: 'mae', name: 'spec' },
      people.admin,
    );
    maintainer = await people.principal(token);
  });
  afterAll(async () => {
    await scheduler?.kill('SIGTERM');
    await schedules?.drop();
    await registry.stop();
    await told.stop();
    await people.stop();
  });
  beforeEach(async () => {
    for (const table of ['retention_rules', 'manifests']) await registry.query(`DELETE FROM ${table}`);
  });

  const push = async (repository: string, tag: string): Promise<TestImage> => {
    const image = await makeImage({
      name: repository,
      busybox: false,
      files: { '/a': randomBytes(8).toString('hex') },
    });
    await pushImage(image, registry.url, { repository, tag, authorization: `Bearer ${people.developer}` });
    return image;
  };
  /** One after the other, each a day after the one before; then as if all of it had been long ago. */
  const pushAll = async (repository: string, tags: string[]): Promise<void> => {
    for (const tag of tags) await push(repository, tag);
    for (const [index, tag] of tags.entries())
      await registry.query(
        `UPDATE tags SET updated_at = now() - make_interval(days => $3) WHERE repository = $1 AND name = $2`,
        [repository, tag, 10 * (tags.length - index)],
      );
    await registry.query(
      `UPDATE manifests SET stored_at = now() - interval '1 year', used_at = now() - interval '2 hours'`,
    );
  };
  const set = (rule: Partial<SetScopedRetention> & { scope: string }, actor = maintainer) =>
    people.rpc.call(registryRpc.setRetention, { tags: '*', ...rule }, { actor });
  const apply = (scope: string, actor = maintainer): Promise<AppliedRetention> =>
    people.rpc.call(registryRpc.applyRetention, { scope }, { actor });
  const preview = (rule: Partial<SetScopedRetention> & { scope: string }) =>
    people.rpc.call(registryRpc.previewRetention, { tags: '*', ...rule }, { actor: maintainer });
  const tagsOf = async (repository: string): Promise<string[]> =>
    (
      await registry.query<{ name: string }>('SELECT name FROM tags WHERE repository = $1 ORDER BY name', [
        repository,
      ])
    ).map(({ name }) => name);
  const images = async (): Promise<number> => (await registry.query('SELECT FROM manifests')).length;

  it('are told before, go when asked for, and are told of each by itself', async () => {
    await pushAll('acme/web', ['1', '2', '3']);
    const rule = { scope: 'acme', keepLast: 1, olderThanSeconds: 86_400 };
    const going = await preview(rule);
    expect(going.tags.map(({ repository, tag }) => `${repository}:${tag}`).sort()).toEqual([
      'acme/web:1',
      'acme/web:2',
    ]);
    expect(going.images).toHaveLength(2);
    expect(await tagsOf('acme/web')).toEqual(['1', '2', '3']);

    expect(await set(rule)).toMatchObject({ ...rule, team: 'acme', tags: '*', setBy: 'mae' });
    expect(await apply('acme')).toEqual({ ...going, denied: [], more: false });
    expect([await tagsOf('acme/web'), await images()]).toEqual([['3'], 1]);
    await eventually(async () => {
      const { records } = await told.refresh();
      const deleted = records.filter(
        ({ action, outcome }) => action === 'image.delete' && outcome === 'succeeded',
      );
      expect(deleted.map(({ actor }) => actor)).toEqual(['mae', 'mae', 'mae', 'mae']);
      expect(records).toContainEqual(expect.objectContaining({ action: 'retention.apply', actor: 'mae' }));
    });
    expect(await apply('acme')).toEqual({ tags: [], images: [], denied: [], more: false });
  });

  it('go every hour, in the name of whoever set the rule; a repository may have one of its own', async () => {
    await pushAll('acme/web', ['1', '2', 'pr-7']);
    await pushAll('acme/api', ['1', '2']);
    await pushAll('acme/kept', ['1', '2']);
    await set({ scope: 'acme', keepLast: 1 });
    await set({ scope: 'acme/web', olderThanSeconds: 3_600, tags: 'pr-*' });
    await set({ scope: 'acme/kept', keepLast: 5 });
    expect(await registry.app.get(RetentionRounds).round(10_000)).toBe(false);
    expect(await tagsOf('acme/web')).toEqual(['1', '2']);
    expect(await tagsOf('acme/api')).toEqual(['2']);
    expect(await tagsOf('acme/kept')).toEqual(['1', '2']);
  });

  it('stay where policy says so, which is told', async () => {
    await pushAll('acme/web', ['release-1', '2', '3']);
    await people.rpc.call(policyRpc.applyPolicy, { id: 'keep-releases', text: KEEP_RELEASES }, people.admin);
    await set({ scope: 'acme/web', keepLast: 1 });
    const { tags, denied } = await apply('acme/web');
    expect(tags.map(({ tag }) => tag)).toEqual(['2']);
    expect(denied).toEqual([
      { repository: 'acme/web', reference: 'release-1', reason: expect.stringContaining('Releases stay.') },
    ]);
    expect(await tagsOf('acme/web')).toEqual(['3', 'release-1']);
  });

  it('stay where they were pulled or pushed within the hour', async () => {
    await pushAll('acme/web', ['1', '2', '3']);
    await set({ scope: 'acme', keepLast: 1 });
    expect((await registry.fetch('/v2/acme/web/manifests/1')).status).toBe(200);
    await eventually(async () =>
      expect(
        await registry.query(`SELECT FROM manifests WHERE used_at > now() - interval '1 minute'`),
      ).toHaveLength(1),
    );
    await apply('acme');
    expect(await tagsOf('acme/web')).toEqual(['1', '3']);
  });

  it('stay while nobody says what runs', async () => {
    await pushAll('acme/web', ['1', '2']);
    await set({ scope: 'acme', keepLast: 1 });
    await scheduler.kill();
    try {
      await expect(apply('acme')).rejects.toMatchObject({ status: 503 });
      await expect(preview({ scope: 'acme', keepLast: 1 })).rejects.toMatchObject({ status: 503 });
      expect(await registry.app.get(RetentionRounds).round(10_000)).toBe(false);
    } finally {
      await scheduler.start();
    }
    expect(await tagsOf('acme/web')).toEqual(['1', '2']);
  });

  it('go by rules that maintainers set, and members see', async () => {
    await set({ scope: 'acme/web', keepLast: 3 });
    await expect(set({ scope: 'acme', keepLast: 1 }, ann)).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    await expect(apply('acme/web', ann)).rejects.toMatchObject({ code: 'POLICY_DENIED' });
    await expect(set({ scope: 'others', keepLast: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const { items } = await people.rpc.call(registryRpc.retention, { limit: 10 }, { actor: ann });
    expect(items).toEqual([expect.objectContaining({ scope: 'acme/web', keepLast: 3, setBy: 'mae' })]);
    const olga = await people.principal(people.stranger);
    expect((await people.rpc.call(registryRpc.retention, { limit: 10 }, { actor: olga })).items).toEqual([]);

    await people.rpc.call(registryRpc.removeRetention, { scope: 'acme/web' }, { actor: maintainer });
    await expect(apply('acme/web')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each<[string, object]>([
    ['no rule at all', { scope: 'acme', tags: '*' }],
    ['nothing to keep', { scope: 'acme', tags: '*', keepLast: 0 }],
    ['an age of minutes', { scope: 'acme', tags: '*', olderThanSeconds: 60 }],
    ['a pattern that is none', { scope: 'acme', tags: '(a+)+$', keepLast: 1 }],
    ['an upstream', { scope: 'docker.io/library/nginx', tags: '*', keepLast: 1 }],
    ['a path', { scope: 'acme/../others', tags: '*', keepLast: 1 }],
  ])('go by no rule of %s', async (_name, rule) => {
    await expect(set(rule as SetScopedRetention)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});
