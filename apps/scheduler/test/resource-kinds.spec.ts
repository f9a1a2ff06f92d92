import { resourceRpc, type Deployment, type ResourceOperation } from '@berth/contracts';
import { buildResourceImage, docker, eventually } from '@berth/testing';
import { SchedulerBench } from './scheduler-bench.js';
import { sideBySide } from './side-by-side.js';

// Several containers each, one after the other, and several such cases at a time. Each step has a time of its own, which
// ends first: one that hangs says which it was.
jest.setTimeout(900_000);

let bench: SchedulerBench;

const beside = sideBySide(async () => {
  bench = await SchedulerBench.start();
  const [redis, nats, mariadb, rabbitmq] = await Promise.all([
    buildResourceImage('redis'),
    buildResourceImage('nats'),
    buildResourceImage('mariadb'),
    buildResourceImage('rabbitmq'),
  ]);
  bench.neighbours.images = {
    'redis:7': redis,
    'nats:2.10-alpine': nats,
    'mariadb:10.11': mariadb,
    'rabbitmq:3.13': rabbitmq,
  };
});
afterAll(() => bench.stop());

interface Kind {
  entry: string;
  version: string;
  /** Image of a service that has a client of it. */
  image: string;
  /** Shell commands of that service: print what it holds, put something there, and take it away. */
  read: string;
  write: string;
  ruin: string;
  /** With credentials that ended. */
  refusal: RegExp;
}

const redisCli = 'redis-cli -u "$STORE_URL" --no-auth-warning';
const mariadbClient =
  'MYSQL_PWD="$STORE_PASSWORD" mariadb -N -h "$STORE_HOST" -P "$STORE_PORT" -u "$STORE_USERNAME" "$STORE_DATABASE"';
/** The NATS protocol by hand: there is no client in Debian's packages. */
const natsSay = (subject: string, payload: string): string =>
  `{ printf 'CONNECT {"verbose":false,"user":"%s","pass":"%s"}\\r\\nSUB answer 1\\r\\nPUB ${subject} answer %s\\r\\n%s\\r\\nPING\\r\\n' "$STORE_USERNAME" "$STORE_PASSWORD" "$(printf '%s' '${payload}' | wc -c)" '${payload}'; sleep 0.5; } | nc "$STORE_HOST" "$STORE_PORT"`;

const KINDS: Kind[] = [
  {
    ...{ entry: 'redis', version: '7', image: 'redis:7' },
    write: `${redisCli} SET greeting hello`,
    read: `${redisCli} GET greeting`,
    ruin: `${redisCli} SET greeting gone; ${redisCli} SET more 1`,
    refusal: /WRONGPASS|invalid username-password/,
  },
  {
    ...{ entry: 'mariadb', version: '10.11', image: 'mariadb:10.11' },
    write: `${mariadbClient} -e "CREATE TABLE greetings (word TEXT); INSERT INTO greetings VALUES ('hello')"`,
    read: `${mariadbClient} -e "SELECT word FROM greetings"`,
    ruin: `${mariadbClient} -e "DROP TABLE greetings; CREATE TABLE mistakes (id int)"`,
    refusal: /Access denied/,
  },
  {
    ...{ entry: 'nats', version: '2.10-alpine', image: 'nats:2.10-alpine' },
    write: `${natsSay('$JS.API.STREAM.CREATE.words', '{"name":"words","subjects":["words.>"]}')}; ${natsSay('words.one', 'hello')}`,
    read: natsSay('$JS.API.STREAM.MSG.GET.words', '{"seq":1}'),
    ruin: natsSay('$JS.API.STREAM.DELETE.words', ''),
    refusal: /Authorization Violation/,
  },
];

interface Place {
  project: string;
  environment: string;
}

async function succeeded(deployment: Deployment): Promise<void> {
  const end = await bench.finished(deployment.id, 120);
  expect([end.status, end.reason]).toEqual(['succeeded', null]);
}

/** In the newest instance of a service. */
async function inApp({ project, environment }: Place, script: string, service = 'app'): Promise<string> {
  const labels = { installation: bench.installation, project, environment, service };
  const filters = Object.entries(labels).flatMap(([name, value]) => [
    '--filter',
    `label=berth.${name}=${value}`,
  ]);
  const [container = ''] = (await docker(bench.dockerHost, 'ps', '--quiet', ...filters)).split('\n');
  const command = ['timeout', '60', 'sh', '-c', `{ ${script}; } 2>&1`];
  return (await docker(bench.dockerHost, 'exec', container, ...command)).trim();
}

async function done(place: Place, { id }: ResourceOperation): Promise<ResourceOperation> {
  const operation = await eventually(
    async () => {
      const found = await bench.call(resourceRpc.getOperation, { ...place, name: 'store', id });
      expect(found.status).not.toBe('running');
      return found;
    },
    { timeout: 120_000, interval: 100 },
  );
  expect([operation.status, operation.reason]).toEqual(['succeeded', null]);
  return operation;
}

for (const { entry, version, image, read, write, ruin, refusal } of KINDS) {
  beside(`${entry} is used, given new credentials, backed up and restored`, async () => {
    const place = await bench.shop();
    const named = { ...place, name: 'store' };
    await succeeded((await bench.call(resourceRpc.add, { ...named, entry, version })).deployment);
    const compose = `services: { app: { image: "${image}", entrypoint: [sleep, infinity], x-berth: { uses: [store] } } }`;
    await succeeded(await bench.deploy(place, compose));
    await inApp(place, write);
    expect(await inApp(place, read)).toMatch(/hello|aGVsbG8/);
    const old = await inApp(place, 'env | grep ^STORE_');

    await succeeded((await bench.call(resourceRpc.rotate, named)).deployment);
    expect(await inApp(place, read)).toMatch(/hello|aGVsbG8/);
    expect(await inApp(place, 'env | grep ^STORE_')).not.toBe(old);
    const withOld = `${old.split('\n').join(' ')} sh -c '${read.replaceAll("'", `'"'"'`)}' || true`;
    expect(await inApp(place, withOld)).toMatch(refusal);

    const backup = await done(place, await bench.call(resourceRpc.backUp, named));
    await inApp(place, ruin);
    await done(place, await bench.call(resourceRpc.restore, { ...named, backup: backup.id }));
    await eventually(async () => expect(await inApp(place, read)).toMatch(/hello|aGVsbG8/), {
      timeout: 20_000,
    });
  });
}

/** Through its own tool: there is no client of AMQP in Debian's packages that is small enough. */
beside('rabbitmq is given new credentials, backed up and restored', async () => {
  const place = await bench.shop();
  const named = { ...place, name: 'store' };
  const added = await bench.call(resourceRpc.add, { ...named, entry: 'rabbitmq', version: '3.13' });
  await succeeded(added.deployment);
  const control = (words: string): Promise<string> => inApp(place, `rabbitmqctl -q ${words}`, 'store');
  expect(await control('list_users --no-table-headers')).toMatch(/^app1\s/);
  const compose =
    'services: { app: { image: "redis:7", entrypoint: [sleep, infinity], x-berth: { uses: [store] } } }';
  await succeeded(await bench.deploy(place, compose));
  const authenticate = async (): Promise<string> => {
    const [user, password] = (await inApp(place, 'echo $STORE_USERNAME $STORE_PASSWORD')).split(' ');
    return control(`authenticate_user ${user} ${password} && echo welcome`);
  };
  expect(await authenticate()).toContain('welcome');
  await succeeded((await bench.call(resourceRpc.rotate, named)).deployment);
  expect(await authenticate()).toContain('welcome');
  expect(await control('list_users --no-table-headers')).toMatch(/^app2\s[^\n]*$/);

  const limit = `set_policy short '^short' '{"max-length":5}'`;
  await control(limit);
  const backup = await done(place, await bench.call(resourceRpc.backUp, named));
  await control('clear_policy short');
  await done(place, await bench.call(resourceRpc.restore, { ...named, backup: backup.id }));
  expect(await control('list_policies --no-table-headers')).toContain('max-length');
  expect(await authenticate()).toContain('welcome');
});
