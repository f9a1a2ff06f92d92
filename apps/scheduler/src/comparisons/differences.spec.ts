import { pinImages, readCompose, type RunSpec } from '../compose/index.js';
import { differencesOf, plannedServices } from './differences.js';

const digest = `sha256:${'1'.repeat(64)}`;

function spec(services: string): RunSpec {
  const { spec: read } = readCompose(`services: { ${services} }\nvolumes: { data: }`, {});
  const names = Object.keys(read.services);
  return pinImages(read, new Map(names.map((name) => [name, { repository: 'docker.io/library/a', digest }])));
}

describe('differences', () => {
  it('are told to the key', () => {
    const from = spec('web: { image: "a:1", environment: { LEVEL: info, OLD: x }, command: [a, b] }');
    const to = spec('web: { image: "a:2", environment: { LEVEL: debug, NEW: y }, command: [a, c] }');
    expect(differencesOf(from, to)).toEqual([
      { service: 'web', path: 'command', from: '["a","b"]', to: '["a","c"]' },
      { service: 'web', path: 'environment.LEVEL', from: 'info', to: 'debug' },
      { service: 'web', path: 'environment.NEW', from: null, to: 'y' },
      { service: 'web', path: 'environment.OLD', from: 'x', to: null },
      { service: 'web', path: 'image', from: `a:1@${digest}`, to: `a:2@${digest}` },
    ]);
    expect(differencesOf(from, from)).toEqual([]);
  });

  it('are whole services where one side has none', () => {
    expect(differencesOf(null, spec('web: { image: a }'))).toEqual([
      { service: 'web', path: '', from: null, to: `a@${digest}` },
    ]);
  });

  it('name secrets by version, never by value', () => {
    const given = spec('web: { image: a, x-berth: { secret_variables: { KEY: stripe } } }');
    const rotated = { ...given, secrets: { stripe: 2 } };
    expect(differencesOf({ ...given, secrets: { stripe: 1 } }, rotated)).toEqual([
      { service: 'web', path: 'secrets.KEY', from: 'stripe (version 1)', to: 'stripe (version 2)' },
    ]);
  });
});

describe('a plan', () => {
  it('says what becomes of each service, and where there will be a gap', () => {
    const from = spec(
      'web: { image: "a:1" }, same: { image: a }, more: { image: a }, gone: { image: a, volumes: ["data:/d"] }, db: { image: "a:1", volumes: ["data:/d"] }',
    );
    const to = spec(
      'web: { image: "a:2" }, same: { image: a }, more: { image: a, deploy: { replicas: 2 } }, fresh: { image: a }, db: { image: "a:2", volumes: ["data:/d"] }',
    );
    expect(plannedServices(from, to)).toEqual([
      {
        ...{ service: 'db', change: 'update', order: 'stop-first' },
        note: expect.stringContaining('the volume "data"'),
      },
      { service: 'fresh', change: 'create', order: null, note: null },
      { service: 'gone', change: 'remove', order: null, note: 'What is in the volume "data" stays.' },
      { service: 'more', change: 'scale', order: null, note: null },
      { service: 'same', change: 'none', order: null, note: null },
      { service: 'web', change: 'update', order: 'start-first', note: null },
    ]);
  });

  it('says that host names alone replace no instance', () => {
    const answering = (host: string) => spec(`web: { image: a, x-berth: { http: 80, hosts: [${host}] } }`);
    expect(plannedServices(answering('a.org'), answering('b.org'))).toEqual([
      {
        service: 'web',
        change: 'update',
        order: null,
        note: 'Its host names only: no instance is replaced.',
      },
    ]);
  });
});
