import { randomInt } from 'node:crypto';
import { eventually } from '@berth/testing';
import { QuotaServices, reservation } from './quota-services.js';

const CALLERS = 64;

/** Does the same with 64 callers at once; each is given its number. */
function together<T>(work: (caller: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: CALLERS }, (_, caller) => work(caller)));
}

describe('64 callers at once over two instances', () => {
  let quota: QuotaServices;

  beforeAll(async () => {
    quota = await QuotaServices.start(2);
  });
  afterAll(() => quota.stop());
  beforeEach(() => quota.sql.query('TRUNCATE limits, reservations'));

  it('gives the last of it to one', async () => {
    await quota.setLimit('teams', 'acme', { instances: 1 });
    const answers = await together((caller) => quota.reserve(reservation({ environment: `e${caller}` })));
    expect(answers.filter(({ reserved }) => reserved)).toHaveLength(1);
    for (const { reserved, limits } of answers) {
      if (!reserved) expect(limits).toMatchObject([{ limit: 1, used: 1, requested: 1 }]);
    }
  });

  it('fills limits of several scopes to the brim and never over it', async () => {
    await quota.setLimit('teams', 'acme', { instances: 150 });
    for (const n of [0, 1, 2]) await quota.setLimit('projects', `p${n}`, { instances: 60 });
    for (const n of [0, 1, 2, 3]) await quota.setLimit('users', `u${n}`, { instances: 50 });
    const given = await together(async (caller) => {
      let held = 0;
      for (let n = 0; n < 10; n++) {
        const wanted = reservation({
          user: `u${(caller + n) % 4}`,
          project: `p${(caller * 7 + n) % 3}`,
          environment: `e${caller}-${n}`,
        });
        if ((await quota.reserve(wanted)).reserved) held++;
      }
      return held;
    });
    expect(given.reduce((sum, held) => sum + held)).toBe(150);
    expect(await quota.usage('teams', 'acme')).toMatchObject({ instances: 150 });
    for (const n of [0, 1, 2]) {
      expect((await quota.usage('projects', `p${n}`)).instances).toBeLessThanOrEqual(60);
    }
    for (const n of [0, 1, 2, 3]) {
      expect((await quota.usage('users', `u${n}`)).instances).toBeLessThanOrEqual(50);
    }
  });

  it('never overshoots while environments come, grow, shrink and go', async () => {
    await quota.setLimit('teams', 'acme', { instances: 40, memoryBytes: 1_000 });
    await quota.setLimit('users', 'ann', { instances: 25 });
    let working = true;
    let most = 0;
    const watcher = (async () => {
      while (working) {
        const team = await quota.usage('teams', 'acme');
        const user = await quota.usage('users', 'ann');
        most = Math.max(most, team.instances);
        expect(team.instances).toBeLessThanOrEqual(40);
        expect(team.memoryBytes).toBeLessThanOrEqual(1_000);
        expect(user.instances).toBeLessThanOrEqual(25);
      }
    })();
    const outcomes = await together(async (caller) => {
      // Two callers share each environment, as two people might.
      const environment = `e${caller % 32}`;
      let refused = 0;
      for (let round = 0; round < 12; round++) {
        const wanted = reservation({
          environment,
          user: caller % 2 ? 'ann' : 'bob',
          amounts: { instances: randomInt(1, 7), memory: randomInt(1, 120) },
        });
        if (!(await quota.reserve(wanted)).reserved) refused++;
        else if (round % 3 === 0) await quota.release(wanted.id);
        else await quota.commit(wanted.id);
        if (round % 5 === 4) await quota.vacate('shop', environment);
      }
      return refused;
    });
    working = false;
    await watcher;
    expect(most).toBeGreaterThan(20);
    expect(outcomes.reduce((sum, refused) => sum + refused)).toBeGreaterThan(0);
  });

  it('lets no reservation slip past a limit that is being set', async () => {
    const waiting = async (): Promise<number> => {
      const { rows } = await quota.sql.query<{ waiting: string }>(
        `SELECT count(*) AS waiting FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
      );
      return Number(rows[0].waiting);
    };
    const underWay = await quota.sql.connect();
    try {
      await underWay.query('BEGIN');
      const { id, project, environment, team, user, amounts } = reservation({ amounts: { instances: 3 } });
      const call = { call: 'reserve', id, project, environment, team, user, ...amounts, seconds: 600 };
      await underWay.query('SELECT ledger_apply($1)', [JSON.stringify([call])]);
      const setting = quota.setLimit('teams', 'acme', { instances: 5 });
      await eventually(async () => expect(await waiting()).toBe(1));
      const next = quota.reserve(reservation({ environment: 'next', amounts: { instances: 3 } }));
      await eventually(async () => expect(await waiting()).toBe(2));
      await underWay.query('COMMIT');
      await setting;
      expect((await next).limits).toMatchObject([{ limit: 5, used: 3, requested: 3 }]);
    } finally {
      underWay.release();
    }
  });
});
