import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { eventually } from '@berth/testing';
import { open, seal, type Envelope } from '../src/secrets/envelope.js';
import { Keyring } from '../src/secrets/keyring.js';
import { SchedulerBench } from './scheduler-bench.js';

jest.setTimeout(60_000);

const MAIN = join(__dirname, '../dist/main.js');
const ROWS = 250;
/** Rows that a scheduler re-wraps before it comes to the last one. */
const WHOLE_BATCHES = 200;
const newKey = (): string => randomBytes(32).toString('base64');
const oldKey = newKey();
const freshKey = newKey();
const [old, fresh] = [new Keyring(oldKey), new Keyring(freshKey)];
const both = { BERTH_SECRETS_KEY: freshKey, BERTH_SECRETS_OLD_KEYS: oldKey };

let bench: SchedulerBench;
let environmentId: string;
const children: ChildProcess[] = [];

const nameOf = (index: number): string => `S${String(index).padStart(4, '0')}`;

beforeAll(async () => {
  bench = await SchedulerBench.start({ BERTH_SECRETS_KEY: oldKey });
  const { project } = await bench.shop();
  const { rows } = await bench.sql.query<{ id: string }>('SELECT id FROM environments WHERE project = $1', [
    project,
  ]);
  environmentId = rows[0].id;
  for (let index = 0; index < ROWS; index++) {
    const name = nameOf(index);
    const envelope = seal(old, { environmentId, name, version: 1 }, Buffer.from(`value of ${name}`));
    await bench.sql.query(
      `INSERT INTO secrets (environment_id, name, version, wrapped_key, nonce, ciphertext, key_id, created_by)
       VALUES ($1, $2, 1, $3, $4, $5, $6, 'ann')`,
      [environmentId, name, envelope.wrappedKey, envelope.nonce, envelope.ciphertext, envelope.keyId],
    );
  }
  await bench.stopSchedulers();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await bench?.stop();
});

/** A scheduler as a process, that need not come to be ready. */
function start(environment: Record<string, string>): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [MAIN], { env: environment });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return { child, output: () => output };
}

function exit(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', resolve));
}

async function under(keyring: Keyring): Promise<number> {
  const { rows } = await bench.sql.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM secrets WHERE key_id = $1',
    [keyring.current.id],
  );
  return rows[0].count;
}

async function allReadableWith(keyring: Keyring): Promise<void> {
  const { rows } = await bench.sql.query<Envelope & { name: string }>(
    `SELECT name, key_id AS "keyId", wrapped_key AS "wrappedKey", nonce, ciphertext FROM secrets ORDER BY name`,
  );
  expect(rows).toHaveLength(ROWS);
  for (const { name, ...envelope } of rows)
    expect(open(keyring, { environmentId, name, version: 1 }, envelope).toString()).toBe(`value of ${name}`);
}

test('a scheduler without the key, or with another one, does not start and says which variable is wrong', async () => {
  const { BERTH_SECRETS_KEY: _key, ...without } = bench.environment();
  const settings: [Record<string, string>, RegExp][] = [
    [without, /BERTH_SECRETS_KEY: must be given/],
    [bench.environment({ BERTH_SECRETS_KEY: 'short' }), /BERTH_SECRETS_KEY: must be 32 bytes/],
    [
      bench.environment({ BERTH_SECRETS_KEY: freshKey, LOG_LEVEL: 'info' }),
      new RegExp(`BERTH_SECRETS_KEY is the key ${fresh.current.id}.*${ROWS} with ${old.current.id}`),
    ],
  ];
  for (const [environment, told] of settings) {
    const { child, output } = start(environment);
    expect(await exit(child)).toBe(1);
    expect(output()).toMatch(told);
    for (const key of [oldKey, freshKey]) expect(output()).not.toContain(key);
  }
  expect(await under(old)).toBe(ROWS);
});

test('killed in the midst of it, it leaves every secret readable with both keys', async () => {
  const holder = await bench.sql.connect();
  try {
    // Whoever comes to the last row waits: so it is killed with some done, some under way, and none by chance.
    await holder.query('BEGIN');
    await holder.query('SELECT FROM secrets WHERE name = $1 FOR UPDATE', [nameOf(ROWS - 1)]);
    const { child } = start(bench.environment(both));
    await eventually(async () => expect(await under(fresh)).toBe(WHOLE_BATCHES), { timeout: 20_000 });
    const ended = exit(child);
    child.kill('SIGKILL');
    await ended;
    expect([await under(fresh), await under(old)]).toEqual([WHOLE_BATCHES, ROWS - WHOLE_BATCHES]);
    await allReadableWith(new Keyring(freshKey, oldKey));
  } finally {
    await holder.query('ROLLBACK');
    holder.release();
  }
});

test('the next ones, several at once, bring the rest under the new key; then the old one is not needed', async () => {
  await Promise.all([1, 2, 3].map(() => bench.addScheduler(both)));
  expect([await under(fresh), await under(old)]).toEqual([ROWS, 0]);
  await bench.stopSchedulers();
  await bench.addScheduler({ BERTH_SECRETS_KEY: freshKey });
  await allReadableWith(fresh);
});
