import { randomInt, randomUUID } from 'node:crypto';
import { BerthError, type Reservation } from '@berth/contracts';
import { LedgerModel, scopesOf, type Answer } from './ledger-model.js';
import { QuotaServices, reservation } from './quota-services.js';

const RUNS = 15;
const STEPS = 50;

/** A generator that a seed determines (mulberry32), so that a run that failed can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

async function answerOf(call: Promise<unknown>): Promise<Answer> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (error instanceof BerthError) return error.code as Answer;
    throw error;
  }
}

describe('any sequence of calls', () => {
  let quota: QuotaServices;

  beforeAll(async () => {
    quota = await QuotaServices.start(2);
  });
  afterAll(() => quota.stop());

  it(`leaves the ledger as the model has it (${RUNS} x ${STEPS} steps)`, async () => {
    const first = randomInt(1_000_000);
    for (let seed = first; seed < first + RUNS; seed++) {
      await quota.sql.query('TRUNCATE limits, reservations');
      const journal: string[] = [];
      try {
        await walk(quota, random(seed), journal);
      } catch (error) {
        throw new Error(`seed ${seed}, after:\n${journal.join('\n')}`, { cause: error });
      }
    }
  });
});

async function walk(quota: QuotaServices, below: (n: number) => number, journal: string[]): Promise<void> {
  const model = new LedgerModel();
  const made: Reservation[] = [];
  for (const [scope, name] of scopesOf(anyReservation(below))) {
    if (below(3) === 0) continue;
    const instances = below(12);
    await quota.setLimit(scope, name, { instances });
    model.limits.set(`${scope}/${name}`, instances);
    journal.push(`limit ${scope}/${name} ${instances}`);
  }
  for (let step = 0; step < STEPS; step++) {
    const known = made.length > 0 ? made[below(made.length)] : anyReservation(below);
    const kind = ['reserve', 'reserve', 'again', 'other', 'commit', 'commit', 'release', 'expire', 'vacate'][
      below(9)
    ];
    const wanted =
      kind === 'reserve'
        ? anyReservation(below)
        : kind === 'other'
          ? { ...anyReservation(below), id: known.id }
          : known;
    journal.push(`${kind} ${told(wanted)}`);
    if (kind === 'commit') expect(await answerOf(quota.commit(known.id))).toBe(model.commit(known.id));
    else if (kind === 'release')
      expect(await answerOf(quota.release(known.id))).toBe(model.release(known.id));
    else if (kind === 'expire') {
      await quota.letExpire(known.id);
      model.expire(known.id);
    } else if (kind === 'vacate') {
      await quota.vacate(known.project, known.environment);
      model.vacate(known.project, known.environment);
    } else {
      made.push(wanted);
      await compareReserve(quota, model, wanted);
    }
    await compareUsage(quota, model, wanted);
  }
}

async function compareUsage(quota: QuotaServices, model: LedgerModel, wanted: Reservation): Promise<void> {
  const { rows } = await quota.sql.query<{ scope: string; name: string; used: number }>(
    `SELECT scope, name, (ledger_usage(scope, name)).instances::int AS used
     FROM unnest($1::text[], $2::text[]) AS asked (scope, name)`,
    [scopesOf(wanted).map(([scope]) => scope), scopesOf(wanted).map(([, name]) => name)],
  );
  expect(rows).toEqual(
    scopesOf(wanted).map(([scope, name]) => ({ scope, name, used: model.used(scope, name) })),
  );
}

async function compareReserve(quota: QuotaServices, model: LedgerModel, wanted: Reservation): Promise<void> {
  const expected = model.reserve(wanted);
  const call = quota.reserve(wanted);
  if (expected.answer !== 'reserved' && expected.answer !== 'refused') {
    expect(await answerOf(call)).toBe(expected.answer);
    return;
  }
  expect(await call).toEqual({
    reserved: expected.answer === 'reserved',
    limits: expected.broken.map((limit) => ({ ...limit, dimension: 'instances' })),
  });
}

function told({ id, team, user, project, environment, amounts }: Reservation): string {
  return `${id.slice(0, 4)} ${team} ${user} ${project}.${environment} ${amounts.instances}`;
}

function anyReservation(below: (n: number) => number): Reservation {
  return reservation({
    id: randomUUID(),
    team: `t${below(2)}`,
    user: `u${below(2)}`,
    project: `p${below(2)}`,
    environment: `e${below(3)}`,
    amounts: { instances: below(7) },
  });
}
