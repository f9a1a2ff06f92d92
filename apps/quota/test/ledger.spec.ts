import { QuotaServices, reservation } from './quota-services.js';

describe('the ledger', () => {
  let quota: QuotaServices;

  beforeAll(async () => {
    quota = await QuotaServices.start(1);
  });
  afterAll(() => quota.stop());
  beforeEach(() => quota.sql.query('TRUNCATE limits, reservations'));

  it('holds what is reserved until it is released', async () => {
    const wanted = reservation({ amounts: { cpu: 1.5, memory: 64, instances: 3 } });
    expect(await quota.reserve(wanted)).toEqual({ reserved: true, limits: [] });
    expect(await quota.usage('teams', 'acme')).toEqual({ cpuMillis: 1500, memoryBytes: 64, instances: 3 });
    await quota.release(wanted.id);
    expect(await quota.usage('teams', 'acme')).toEqual({ cpuMillis: 0, memoryBytes: 0, instances: 0 });
  });

  it.each([
    ['teams', 'acme'],
    ['users', 'ann'],
    ['projects', 'shop'],
    ['environments', 'shop.dev'],
  ] as const)('holds a limit of %s', async (scope, name) => {
    await quota.setLimit(scope, name, { instances: 2 });
    expect(await quota.reserve(reservation({ amounts: { instances: 3 } }))).toEqual({
      reserved: false,
      limits: [{ scope, name, dimension: 'instances', limit: 2, used: 0, requested: 3 }],
    });
    expect(await quota.reserve(reservation({ amounts: { instances: 2 } }))).toMatchObject({ reserved: true });
    const elsewhere = { team: 'other', user: 'bob', project: 'blog', environment: 'prod' };
    expect(await quota.reserve(reservation({ ...elsewhere, amounts: { instances: 9 } }))).toMatchObject({
      reserved: true,
    });
    expect(await quota.usage(scope, name)).toMatchObject({ instances: 2 });
  });

  it('tells every limit that is broken, in the units that people use', async () => {
    await quota.setLimit('teams', 'acme', { cpuMillis: 2000, memoryBytes: 1024 });
    await quota.setLimit('users', 'ann', { instances: 0 });
    await quota.run(reservation({ environment: 'prod', user: 'bob', amounts: { cpu: 0.5, memory: 1000 } }));
    const { reserved, limits } = await quota.reserve(
      reservation({ amounts: { cpu: 1.75, memory: 25, instances: 1 } }),
    );
    expect(reserved).toBe(false);
    expect(limits).toEqual([
      { scope: 'teams', name: 'acme', dimension: 'cpu', limit: 2, used: 0.5, requested: 1.75 },
      { scope: 'teams', name: 'acme', dimension: 'memory', limit: 1024, used: 1000, requested: 25 },
      { scope: 'users', name: 'ann', dimension: 'instances', limit: 0, used: 0, requested: 1 },
    ]);
    expect(await quota.usage('users', 'ann')).toMatchObject({ instances: 0 });
  });

  describe('replacing what an environment has', () => {
    it('counts the larger of old and new while it rolls out, the new once committed', async () => {
      await quota.setLimit('teams', 'acme', { instances: 10 });
      await quota.run(reservation({ amounts: { instances: 6, memory: 10 } }));
      const smaller = reservation({ amounts: { instances: 4, memory: 30 } });
      expect(await quota.reserve(smaller)).toMatchObject({ reserved: true });
      expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 6, memoryBytes: 30 });
      await quota.commit(smaller.id);
      expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 4, memoryBytes: 30 });
    });

    it('counts the old again when the new is released', async () => {
      await quota.run(reservation({ amounts: { instances: 2 } }));
      const larger = reservation({ amounts: { instances: 5 } });
      await quota.reserve(larger);
      expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 5 });
      await quota.release(larger.id);
      expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 2 });
    });

    it('does not count an environment against itself', async () => {
      await quota.setLimit('teams', 'acme', { instances: 10 });
      await quota.run(reservation({ amounts: { instances: 7 } }));
      expect(await quota.reserve(reservation({ amounts: { instances: 10 } }))).toMatchObject({
        reserved: true,
      });
      expect(
        (await quota.reserve(reservation({ environment: 'prod', amounts: { instances: 1 } }))).limits,
      ).toMatchObject([{ limit: 10, used: 10, requested: 1 }]);
    });

    it('lets what is over a lowered limit shrink to it', async () => {
      await quota.run(reservation({ amounts: { instances: 6 } }));
      await quota.setLimit('teams', 'acme', { instances: 3 });
      expect((await quota.reserve(reservation({ amounts: { instances: 4 } }))).reserved).toBe(false);
      await quota.run(reservation({ amounts: { instances: 3 } }));
      expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 3 });
    });

    it('moves from one user to the next with who deploys', async () => {
      await quota.run(reservation({ user: 'ann', amounts: { instances: 2 } }));
      const next = reservation({ user: 'bob', amounts: { instances: 3 } });
      await quota.reserve(next);
      expect(await quota.usage('users', 'ann')).toMatchObject({ instances: 2 });
      expect(await quota.usage('users', 'bob')).toMatchObject({ instances: 3 });
      await quota.commit(next.id);
      expect(await quota.usage('users', 'ann')).toMatchObject({ instances: 0 });
      expect(await quota.usage('users', 'bob')).toMatchObject({ instances: 3 });
    });

    it('bears a reservation that nobody ended beside the next one, and counts the larger', async () => {
      await quota.reserve(reservation({ amounts: { instances: 3 } }));
      const next = reservation({ amounts: { instances: 2 } });
      expect(await quota.reserve(next)).toMatchObject({ reserved: true });
      expect(await quota.usage('environments', 'shop.dev')).toMatchObject({ instances: 3 });
    });
  });

  describe('asked the same again', () => {
    it('reserves once', async () => {
      const wanted = reservation({ amounts: { instances: 2 } });
      await quota.setLimit('teams', 'acme', { instances: 2 });
      const answers = await Promise.all(Array.from({ length: 16 }, () => quota.reserve(wanted)));
      expect(answers.every(({ reserved }) => reserved)).toBe(true);
      await quota.commit(wanted.id);
      expect(await quota.reserve(wanted)).toEqual({ reserved: true, limits: [] });
      expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 2 });
    });

    it('commits once: a commit that is told late does not bring back what was replaced', async () => {
      const first = await quota.run(reservation({ amounts: { instances: 1 } }));
      await quota.run(reservation({ amounts: { instances: 2 } }));
      await quota.commit(first);
      expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 2 });
    });

    it('does not release what is committed, nor reserve what was released', async () => {
      const committed = await quota.run(reservation({ amounts: { instances: 2 } }));
      await quota.release(committed);
      expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 2 });
      const released = reservation({ environment: 'prod' });
      await quota.reserve(released);
      await quota.release(released.id);
      await quota.release(released.id);
      await expect(quota.reserve(released)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 2 });
    });

    it('refuses a reservation that its own release has overtaken', async () => {
      const wanted = reservation();
      await quota.release(wanted.id);
      await expect(quota.reserve(wanted)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 0 });
    });

    it('refuses other amounts, or another environment, under the same id', async () => {
      const wanted = reservation();
      await quota.reserve(wanted);
      for (const other of [
        { ...wanted, amounts: { ...wanted.amounts, instances: 2 } },
        { ...wanted, environment: 'prod' },
      ]) {
        await expect(quota.reserve(other)).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
      }
    });

    it('does not know a reservation that nobody made', async () => {
      await expect(quota.commit(reservation().id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });

  describe('an environment that is gone', () => {
    it('holds nothing any more, whatever arrives late', async () => {
      await quota.run(reservation({ amounts: { instances: 2 } }));
      const pending = reservation({ amounts: { instances: 5 } });
      await quota.reserve(pending);
      await quota.run(reservation({ environment: 'prod' }));
      await quota.vacate('shop', 'dev');
      await quota.vacate('shop', 'dev');
      await quota.commit(pending.id);
      await quota.release(pending.id);
      await expect(quota.reserve(pending)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 1 });
    });
  });

  it('refuses an amount that cannot be counted, with the field named', async () => {
    await expect(quota.reserve(reservation({ amounts: { cpu: 1e300 } }))).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      extensions: { fields: [{ path: 'amounts.cpu' }] },
    });
  });

  it('sums what is more than a 64-bit integer holds', async () => {
    const most = { memory: Number.MAX_SAFE_INTEGER };
    const many = Array.from({ length: 2_000 }, (_, n) =>
      reservation({ environment: `e${n}`, amounts: most }),
    );
    await quota.setLimit('users', 'ann', { instances: 2_000 });
    await quota.sql.query(
      `INSERT INTO reservations (id, project, environment, team, user_name, memory_bytes, instances, state, decided_at)
       SELECT gen_random_uuid(), 'shop', e, 'acme', 'ann', $2::bigint, 1, 'committed', now() FROM unnest($1::text[]) e`,
      [many.slice(1).map(({ environment }) => environment), most.memory],
    );
    expect(await quota.reserve(many[0])).toMatchObject({ reserved: true });
    expect((await quota.usage('teams', 'acme')).memoryBytes).toBeGreaterThan(2 ** 63);
  });
});
