import { eventually } from '@berth/testing';
import { QuotaServices, reservation } from './quota-services.js';

describe('a reservation whose time runs out', () => {
  let quota: QuotaServices;

  beforeAll(async () => {
    quota = await QuotaServices.start(2, { QUOTA_SWEEP_SECONDS: 0.1 });
    await quota.setLimit('teams', 'acme', { instances: 4 });
  });
  afterAll(() => quota.stop());
  beforeEach(() => quota.sql.query('TRUNCATE reservations'));

  const stateOf = async (id: string): Promise<string> => {
    const { rows } = await quota.sql.query<{ state: string }>(
      'SELECT state FROM reservations WHERE id = $1',
      [id],
    );
    return rows[0]?.state;
  };

  it('counts no more, and is swept once over all instances', async () => {
    const wanted = reservation({ amounts: { instances: 4 }, expiresInSeconds: 1 });
    await quota.reserve(wanted);
    expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 4 });
    await eventually(async () => expect(await stateOf(wanted.id)).toBe('expired'));
    expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 0 });
    await eventually(async () => {
      const pages = await Promise.all(
        [0, 1].map(async (n) => (await fetch(`${await quota.url(n)}/metrics`)).text()),
      );
      const counts = pages.map((page) => Number(/^berth_quota_expired_total (\d+)$/m.exec(page)?.[1]));
      expect(counts[0] + counts[1]).toBe(1);
    });
  });

  it('makes room at the moment of its expiry, not of the sweep', async () => {
    const wanted = reservation({ amounts: { instances: 4 } });
    await quota.reserve(wanted);
    await quota.letExpire(wanted.id);
    expect(
      await quota.reserve(reservation({ environment: 'prod', amounts: { instances: 4 } })),
    ).toMatchObject({ reserved: true });
  });

  it('can still be committed: what runs is counted, over the limit if it must be, and said so', async () => {
    const late = reservation({ amounts: { instances: 3 } });
    await quota.reserve(late);
    await quota.letExpire(late.id);
    await quota.run(reservation({ environment: 'prod', amounts: { instances: 3 } }));
    await quota.commit(late.id);
    expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 6 });
    const pages = await Promise.all(
      [0, 1].map(async (n) => (await fetch(`${await quota.url(n)}/metrics`)).text()),
    );
    expect(pages.join('\n')).toMatch(/^berth_quota_overdrawn_total 1$/m);
    expect((await quota.reserve(reservation({ environment: 'qa' }))).limits).toMatchObject([
      { limit: 4, used: 6, requested: 1 },
    ]);
  });

  it('is judged anew when it is reserved again', async () => {
    const wanted = reservation({ amounts: { instances: 3 } });
    await quota.reserve(wanted);
    await quota.letExpire(wanted.id);
    const other = reservation({ environment: 'prod', amounts: { instances: 2 } });
    await quota.reserve(other);
    expect((await quota.reserve(wanted)).reserved).toBe(false);
    await quota.release(other.id);
    expect(await quota.reserve(wanted)).toMatchObject({ reserved: true });
    expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 3 });
  });

  it('lives longer when it is reserved again in time', async () => {
    const wanted = reservation({ expiresInSeconds: 1 });
    await quota.reserve(wanted);
    await quota.reserve({ ...wanted, expiresInSeconds: 600 });
    const { rows } = await quota.sql.query(
      `SELECT expires_at > now() + interval '1 minute' AS longer FROM reservations WHERE id = $1`,
      [wanted.id],
    );
    expect(rows).toEqual([{ longer: true }]);
  });

  it('is forgotten long after it was decided, and what runs is not', async () => {
    const running = await quota.run(reservation());
    const ended = reservation({ environment: 'prod' });
    await quota.reserve(ended);
    await quota.release(ended.id);
    await quota.sql.query(`UPDATE reservations SET decided_at = now() - interval '8 days'`);
    await eventually(async () => expect(await stateOf(ended.id)).toBeUndefined());
    expect(await stateOf(running)).toBe('committed');
  });
});
