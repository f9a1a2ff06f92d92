import { attach, type Backing } from './backings.js';
import { readCompose } from './read-compose.js';
import { pinImages, render, type RunSpec } from './release.js';

const pinned = { repository: 'docker.io/library/a', digest: `sha256:${'1'.repeat(64)}` };

function spec(services: string): RunSpec {
  const read = readCompose(`services: { ${services} }`, {}).spec;
  return pinImages(read, new Map(Object.keys(read.services).map((name) => [name, pinned])));
}

const backing = (): Backing => ({
  service: spec('db: { image: a, healthcheck: { test: [CMD, "true"] } }').services.db,
  image: { ...pinned, user: '' },
  volumes: { '.db.data': { labels: {} } },
  secrets: { 'db.admin': 1 },
  resource: {
    ...{ name: 'db', entry: 'postgres', version: '17', port: 5432, credential: 2, secrets: ['admin'] },
    ...{
      commands: { add_user: 'true', remove_user: 'true' },
      volatileLines: null,
      restartToRestore: false,
      variables: { HOST: 'db' },
    },
  },
  offer: {
    environment: { DB_HOST: 'db' },
    secrets: [{ secret: 'db.variable.url', file: null, variable: 'DB_URL' }],
    versions: { 'db.variable.url': 2 },
  },
});

test('who asks for a resource gets it, and waits for it', () => {
  const run = spec('web: { image: a, x-berth: { uses: [db] } }, other: { image: a }');
  attach(run, { db: backing() });
  expect(Object.keys(run.services)).toEqual(['web', 'other', 'db']);
  expect(run.services.web).toMatchObject({
    environment: { DB_HOST: 'db' },
    secrets: [{ secret: 'db.variable.url', variable: 'DB_URL' }],
    dependsOn: { db: 'healthy' },
  });
  expect(run.services.other).toMatchObject({ environment: {}, secrets: [], dependsOn: {} });
  expect(run.secrets).toEqual({ 'db.variable.url': 2, 'db.admin': 1 });
  expect(run.resources.db).toMatchObject({ entry: 'postgres', credential: 2 });
});

test('what is not there, is there twice, or is set twice is told', () => {
  const uses = (more = '') => spec(`web: { image: a, ${more} x-berth: { uses: [db] } }`);
  expect(() => attach(uses(), {})).toThrow(expect.objectContaining({ code: 'RESOURCE_NOT_FOUND' }));
  expect(() => attach(spec('db: { image: a }'), { db: backing() })).toThrow(/both a service/);
  expect(() => attach(uses('environment: { DB_URL: mine },'), { db: backing() })).toThrow(/DB_URL/);
});

test('a resource has one instance', () => {
  const settings = { variables: {}, restarts: {}, backings: { db: backing() } };
  const empty = { compose: '', images: {} };
  expect(() => render(empty, { ...settings, overrides: { db: { replicas: 2 } } })).toThrow(/one instance/);
  const { services } = render(empty, { ...settings, overrides: { db: { memoryBytes: 1e9 } } }).spec;
  expect(services.db.limits.memoryBytes).toBe(1e9);
});
