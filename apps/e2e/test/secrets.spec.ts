import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment, Page, Problem, Secret } from '@berth/contracts';
import { Home, readSecrets, REPOSITORY, SERVICE_NAMES, type Secrets } from '@berth/host';
import { eventually, startPlatform, type TestPlatform } from '@berth/testing';
import { buildWebImages } from './support/images.js';
import { decrypted, filesWith, formsOf, ListeningClient, tablesWith } from './support/leaks.js';
import { deploy, expectStatus, newcomer, newProject } from './support/people.js';

jest.setTimeout(180_000);

const SECRETS = '/v1/projects/shop/environments/dev/secrets';

/** What must be found nowhere, and what must be found, so that the search is known to find. */
const marker = `leak${randomBytes(12).toString('hex')}`;
const control = `found${randomBytes(12).toString('hex')}`;
const forms = formsOf(marker);

const compose = `
services:
  api:
    image: api:1
    secrets: [AS_FILE]
    x-berth: { secret_variables: [AS_VARIABLE] }
secrets: { AS_FILE: , AS_VARIABLE: }
`;

describe('a secret', () => {
  let platform: TestPlatform;
  let dana: ListeningClient;
  let mallory: ListeningClient;
  const heard: string[] = [];

  const key = (): string => readSecrets(new Home(platform.home))?.secretsKey ?? '';
  const put = async (body: unknown, { path = `${SECRETS}/AS_FILE`, as = dana, headers = {} } = {}) =>
    (await as.put<Problem>(path, body, headers)).status;

  beforeAll(async () => {
    await buildWebImages();
    platform = await startPlatform({ logLevel: 'trace' });
    const listening = new ListeningClient(platform.url, platform.adminToken, heard);
    dana = listening.as((await newcomer(platform, 'acme', 'dana')).token);
    mallory = listening.as((await newcomer(platform, 'rivals', 'mallory')).token);
    await newProject(dana, 'acme', 'shop');
  });

  afterAll(async () => {
    await platform?.stop();
  });

  it('is asked for before a deploy that needs it', async () => {
    const { status, body } = await dana.post<Problem>('/v1/projects/shop/environments/dev/deployments', {
      compose,
    });
    expect([status, body.code, body.service]).toEqual([422, 'SECRET_NOT_FOUND', 'api']);
    expect(body.detail).toMatch(/berth secret set \w+ --project shop --env dev/);
  });

  it('is set as text, as bytes, by the command, and wrongly in every way', async () => {
    const base64 = Buffer.from(`x${marker}y`).toString('base64');
    expect(await put({ value: marker })).toBe(200);
    expect(await put({ valueBase64: base64 }, { headers: { 'idempotency-key': 'k1' } })).toBe(200);
    const cli = spawnSync(
      process.execPath,
      [
        join(REPOSITORY, 'apps/cli/dist/main.js'),
        ...'secret set AS_VARIABLE -p shop -e dev --json'.split(' '),
      ],
      { env: platform.cliEnvironment(dana.token), input: marker, encoding: 'utf8' },
    );
    expect([cli.status, cli.stderr]).toEqual([0, '']);
    heard.push(cli.stdout);

    expect(await put({ value: marker, valueBase64: base64 })).toBe(400);
    expect(await put({ value: marker, note: marker })).toBe(400);
    expect(await put({ value: [marker] })).toBe(400);
    expect(await put({ valueBase64: `${marker}!` })).toBe(400);
    expect(await put({ value: marker.repeat(3_000) })).toBe(400);
    expect(await put({ value: marker.repeat(80_000) })).toBe(413);
    expect(await put(`{"value":"${marker}`)).toBe(400);
    expect(await put(`value=${marker}`, { headers: { 'content-type': 'text/plain' } })).toBe(415);
    expect(await put({ value: marker }, { as: mallory })).toBe(404);
    expect(await put({ value: marker }, { as: dana.as('none') })).toBe(401);
    expect(await put({ value: marker }, { path: SECRETS.replace('dev', 'nowhere') + '/A' })).toBe(404);
    const list = expectStatus(await dana.get<Page<Secret>>(SECRETS), 200);
    expect(list.items.map(({ name, version, setBy }) => [name, version, setBy])).toEqual([
      ['AS_FILE', 2, 'dana'],
      ['AS_VARIABLE', 1, 'dana'],
    ]);
  });

  it('is set in vain while the database is away, and while the bus is', async () => {
    for (const part of ['postgres', 'nats'] as const) {
      await platform.stopPart(part);
      expect(await put({ value: marker })).toBe(503);
      await platform.startParts();
      await eventually(async () => expect((await dana.get(SECRETS)).status).toBe(200), { timeout: 30_000 });
    }
  });

  it('is given to a service, and not removed while that runs', async () => {
    expect(await deploy(dana, 'shop', compose)).toMatchObject({ status: 'succeeded' });
    const { status, body } = await dana.delete<Problem>(`${SECRETS}/AS_FILE`);
    expect([status, body.code, body.services]).toEqual([409, 'SECRET_IN_USE', ['api']]);
  });

  it('is under a new key after a re-key, which is kept for the owner alone and given to the scheduler alone', async () => {
    const before = key();
    await platform.rekey();
    expect(key()).not.toBe(before);
    expect(readSecrets(new Home(platform.home))).not.toHaveProperty('oldSecretsKey');
    expect(await decrypted(platform, 'AS_FILE')).toBe(`x${marker}y`);
    expect(statSync(join(platform.home, 'secrets.json')).mode & 0o777).toBe(0o600);
    const given = SERVICE_NAMES.filter((name) =>
      readFileSync(`/proc/${platform.service(name).pid()}/environ`, 'utf8').includes(key()),
    );
    expect(given).toEqual(['scheduler']);
    const holders = filesWith(platform.home, [before, key()]);
    expect(holders).toEqual([join(platform.home, 'secrets.json')]);
  });

  it('is under the new key also when the re-key before was cut short', async () => {
    const file = join(platform.home, 'secrets.json');
    const { secretsKey: oldSecretsKey, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Secrets;
    const secretsKey = randomBytes(32).toString('base64');
    // As it stands once a new key is made, and before anything knows of it.
    writeFileSync(file, JSON.stringify({ ...rest, secretsKey, oldSecretsKey }));
    await platform.rekey();
    expect(key()).toBe(secretsKey);
    expect(readSecrets(new Home(platform.home))).not.toHaveProperty('oldSecretsKey');
    expect(await decrypted(platform, 'AS_VARIABLE')).toBe(marker);
  });

  it('leaks nowhere: not into answers, tables, logs, streams, buckets or the files of any of them', async () => {
    const place = '/v1/projects/shop/environments/dev';
    expectStatus(await dana.put(place, { variables: { CONTROL: control } }), 200);
    await eventually(
      async () =>
        expect((await dana.get<Environment>(place)).body.variables).toHaveProperty('CONTROL', control),
      { timeout: 40_000 },
    );
    for (const path of [
      place,
      `${place}/services`,
      `${place}/releases`,
      `${place}/deployments`,
      '/openapi.json',
    ])
      expectStatus(await dana.get(path), 200);
    const records = new ListeningClient(platform.url, platform.adminToken, heard);
    await eventually(async () => {
      const { body } = await records.get<Page<{ action: string }>>(
        '/v1/audit/records?project=shop&limit=200',
      );
      expect(body.items.filter(({ action }) => action === 'environment.update')).toHaveLength(1);
      expect(body.items.some(({ action }) => action === 'secret.set')).toBe(true);
    });

    expect(heard.filter((text) => forms.some((form) => text.includes(form)))).toEqual([]);
    expect(heard.filter((text) => text.includes(control)).length).toBeGreaterThan(0);

    const { found, searched } = await tablesWith(platform, forms);
    expect(found).toEqual([]);
    expect(searched).toBeGreaterThan(20);
    expect((await tablesWith(platform, formsOf(control))).found.sort()).toEqual([
      'scheduler.configurations',
      'scheduler.environments',
    ]);
    expect(await decrypted(platform, 'AS_VARIABLE')).toBe(marker);

    // Stopped, so that what they hold in memory is in their files.
    await platform.stopPart('nats');
    await platform.stopPart('postgres');
    expect(readdirSync(join(platform.home, 'log')).length).toBeGreaterThanOrEqual(8);
    expect(filesWith(platform.home, ['secret.set.v1']).some((path) => path.includes('/nats/'))).toBe(true);
    expect(filesWith(platform.home, [control]).some((path) => path.includes('/postgres/'))).toBe(true);
    expect(filesWith(platform.home, forms)).toEqual([]);
  });
});
