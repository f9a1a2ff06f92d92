import { pinImages, readCompose, type RunSpec } from '../compose/index.js';
import { tagOf, toMetadata } from './metadata.js';

const digest = `sha256:${'1'.repeat(64)}`;
const [running, coming] = ['019a0000-0000-7000-8000-000000000001', '019a0000-0000-7000-8000-000000000002'];
const nothing = {
  ...{ id: '019a0000-0000-7000-8000-000000000000', project: 'shop', environment: 'dev', configuration: 1 },
  ...{ variables: {}, deployment: null, release: null, spec: null },
  ...{ coming: null, comingRelease: null, comingSpec: null },
};

function specOf(compose: string): RunSpec {
  const { spec } = readCompose(compose, {});
  const images = Object.keys(spec.services).map((name) => [name, { repository: 'x', digest }] as const);
  return pinImages(spec, new Map(images));
}

const urlOf = ({ service }: { service: string }): string | null =>
  service === 'web' ? 'http://web.dev.shop.localhost:4490' : null;
const namesIn = (row: Parameters<typeof toMetadata>[0]) =>
  toMetadata(row, urlOf).services.map(({ name }) => name);

describe('the metadata of an environment', () => {
  it('is told before anything runs', () => {
    expect(toMetadata(nothing, urlOf)).toEqual({
      ...{ project: 'shop', environment: 'dev', configuration: 1, variables: {} },
      ...{ release: null, rollingOut: null, services: [], resources: [] },
    });
  });

  it('is of the release in force; of the one on its way where none is', () => {
    const [old, next] = [
      specOf('services: { old: { image: a } }'),
      specOf('services: { next: { image: a } }'),
    ];
    const first = { ...nothing, coming, comingRelease: digest, comingSpec: next };
    expect(toMetadata(first, urlOf)).toMatchObject({
      release: null,
      rollingOut: { digest, deployment: coming },
    });
    expect(namesIn(first)).toEqual(['next']);
    const second = { ...first, deployment: running, release: digest, spec: old };
    expect(toMetadata(second, urlOf).release).toEqual({ digest, deployment: running });
    expect(namesIn(second)).toEqual(['old']);
  });

  it('names services and resources by the alphabet, and nothing of what they are given', () => {
    const spec = specOf(`
services:
  web: { image: shop/web, ports: ["8080:80"], x-berth: { http: { port: 80, protocol: h2c } } }
  db: { image: postgres, environment: { PASSWORD: planted }, x-berth: { secret_variables: [KEY] } }`);
    const common = {
      version: '1',
      credential: 1,
      secrets: ['admin'],
      restartToRestore: false,
      volatileLines: null,
    };
    const commands = { add_user: 'planted', remove_user: 'true' };
    const resources = {
      orders: {
        ...common,
        name: 'orders',
        entry: 'postgres',
        port: 5432,
        commands,
        variables: { HOST: 'orders' },
      },
      cache: { ...common, name: 'cache', entry: 'redis', port: 6379, commands, variables: {} },
    };
    const row = { ...nothing, deployment: running, release: digest, spec: { ...spec, resources } };
    const told = toMetadata(row, urlOf);
    expect(JSON.stringify(told)).not.toMatch(/planted|KEY/);
    expect(told.services).toEqual([
      {
        ...{ name: 'db', image: { reference: 'postgres', digest }, replicas: 1, ports: [], protocol: null },
        url: { inside: null, outside: null },
      },
      {
        ...{ name: 'web', image: { reference: 'shop/web', digest }, replicas: 1, protocol: 'h2c' },
        ports: [{ target: 80, published: 8080, protocol: 'tcp' }],
        url: { inside: 'http://web:80', outside: 'http://web.dev.shop.localhost:4490' },
      },
    ]);
    expect(told.resources).toEqual([
      { name: 'cache', kind: 'redis', version: '1', port: 6379, variables: {} },
      { name: 'orders', kind: 'postgres', version: '1', port: 5432, variables: { HOST: 'orders' } },
    ]);
  });
});

it('the tag of what is told goes by what it says, not by the order of its keys', () => {
  expect(tagOf({ a: 1, b: { c: [1, 2], d: null } })).toBe(tagOf({ b: { d: null, c: [1, 2] }, a: 1 }));
  expect(tagOf({ a: 1 })).not.toBe(tagOf({ a: 2 }));
});
