import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { entrances } from '@berth/actions';
import * as contracts from '@berth/contracts';
import { catalog } from '@berth/contracts';
import { z } from 'zod';
import { API_PREFIX, LOGIN_PREFIX } from '../src/http/door.js';
import { previewGateway } from '../src/openapi/preview.js';
import { buildOpenApi } from '../src/openapi/document.js';
import { EXAMPLES } from '../src/openapi/examples.js';
import { startGateway, type TestGateway } from './gateway.js';

interface Operation {
  operationId: string;
  summary: string;
  responses: Record<string, unknown>;
  parameters?: { in: string; name: string }[];
  'x-berth-action'?: { name: string };
}

const isLogin = (path: string): boolean => path.startsWith(LOGIN_PREFIX);

let gateway: TestGateway;
let document: ReturnType<typeof buildOpenApi>;
let operations: { path: string; method: string; operation: Operation }[];

beforeAll(async () => {
  gateway = await startGateway();
  document = buildOpenApi(await previewGateway());
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
  );
});

afterAll(() => gateway.stop());

test('a running gateway says the same of itself', async () => {
  const { body } = await gateway.api.get('/openapi.json');
  expect(body).toEqual(JSON.parse(JSON.stringify(document)));
});

test('the committed document is what the routes say; "npm run generate" writes it', () => {
  const committed: unknown = JSON.parse(readFileSync(join(__dirname, '../../../docs/openapi.json'), 'utf8'));
  expect(committed).toEqual(JSON.parse(JSON.stringify(document)));
});

test('every reference leads somewhere', () => {
  const text = JSON.stringify(document);
  const references = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference));
  expect(references.size).toBeGreaterThan(30);
  for (const reference of references) {
    const [root, ...steps] = reference.split('/');
    expect(root).toBe('#');
    const target = steps.reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], document);
    expect([reference, target]).toEqual([reference, expect.any(Object)]);
  }
});

test('each operation has a name of its own, a summary, an action of the catalog and its errors', () => {
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
  for (const { path, method, operation } of operations.filter(({ path }) => !isLogin(path))) {
    const told = { path, method, summary: operation.summary, action: operation['x-berth-action']?.name };
    expect(told).toEqual({ path, method, summary: expect.any(String), action: expect.any(String) });
    expect(catalog.has(told.action ?? '')).toBe(true);
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400', '401', '403', '503']));
    const names = (operation.parameters ?? []).filter((each) => each.in === 'path').map(({ name }) => name);
    expect(names).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  }
});

test('each operation on the way to a token says why it needs none', () => {
  const open = operations.filter(({ path }) => isLogin(path));
  expect(open.map(({ path, method }) => `${method} ${path}`).sort()).toEqual([
    'get /v1/login',
    'post /v1/login/device',
    'post /v1/login/device/poll',
  ]);
  for (const { operation } of open) {
    expect(operation).toMatchObject({
      security: [],
      'x-berth-public': expect.any(String),
      summary: expect.any(String),
    });
  }
});

test('examples hold against their schemas, and none is missing', () => {
  const schemas = new Map(
    Object.values(contracts as Record<string, unknown>)
      .filter((value): value is z.ZodType => value instanceof z.ZodType)
      .flatMap((schema): [string, z.ZodType][] => {
        const id = schema.meta()?.id;
        return id ? [[id, schema]] : [];
      }),
  );
  for (const name of Object.keys(document.components?.schemas ?? {})) {
    expect([name, Object.hasOwn(EXAMPLES, name)]).toEqual([name, true]);
    expect([name, schemas.get(name)?.safeParse(EXAMPLES[name]).error?.issues]).toEqual([name, undefined]);
  }
});

describe('complete mediation', () => {
  test('each route is bound to an action that another service performs, or public for a reason', () => {
    const routes = entrances(gateway.app);
    expect(routes.filter(({ kind }) => kind === 'route')).toHaveLength(operations.length + 6);
    for (const { handler, action, publicReason } of routes) {
      expect([handler, action ?? publicReason]).toEqual([handler, expect.stringMatching(/.{5}/)]);
      if (action) expect(catalog.get(action)?.owner).not.toBe('gateway');
    }
  });

  test('what is public is outside of /v1, where no request goes without a token, or the way to one', () => {
    const open = entrances(gateway.app).filter(({ action }) => !action);
    expect(open.map(({ handler }) => handler).sort()).toEqual([
      'DocsController.file',
      'DocsController.openapi',
      'DocsController.page',
      'HealthController.alive',
      'HealthController.ready',
      'LoginController.begin',
      'LoginController.methods',
      'LoginController.poll',
      'MetricsController.read',
    ]);
    expect(operations.every(({ path }) => path.startsWith(`${API_PREFIX}/`))).toBe(true);
  });

  test('each action that people ask for has a route', () => {
    const bound = new Set(operations.map(({ operation }) => operation['x-berth-action']?.name));
    const elsewhere = ['authentication.fail', 'user.login', 'instance.run', 'image.push'];
    expect([...catalog.keys()].filter((name) => !bound.has(name)).sort()).toEqual(elsewhere.sort());
  });
});
