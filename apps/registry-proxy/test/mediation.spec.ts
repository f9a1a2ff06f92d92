import { entrances } from '@berth/actions';
import { catalog } from '@berth/contracts';
import { RouteTable } from '../src/http/route-table.js';
import { RegistryUnderTest } from './registry-under-test.js';

describe('every way into the registry-proxy', () => {
  let registry: RegistryUnderTest;

  beforeAll(async () => {
    registry = await RegistryUnderTest.start();
  });
  afterAll(() => registry.stop());

  it('performs an action of the catalog, or is public with a reason', () => {
    const ways = [
      ...entrances(registry.app),
      ...registry.app.get(RouteTable).routes.map(({ id, methods, performs, publicReason }) => ({
        handler: `${methods.join('/')} ${id}`,
        action: performs?.name ?? null,
        publicReason: publicReason ?? null,
      })),
    ];
    for (const { handler, action, publicReason } of ways) {
      expect([handler, action === null ? Boolean(publicReason) : catalog.has(action)]).toEqual([
        handler,
        true,
      ]);
    }
    const named = ways.map(({ handler, action }) => `${handler}: ${action ?? 'public'}`);
    expect(named).toEqual(
      expect.arrayContaining([
        'ResolveController.resolve: image.pull',
        'GET/HEAD /v2/<name>/manifests/<reference>: image.pull',
        'GET/HEAD /v2/<name>/blobs/<digest>: image.pull',
        'GET/HEAD /v2/<name>/tags/list: image.list',
        'POST /v2/<name>/blobs/uploads/: image.push',
        'PATCH /v2/<name>/blobs/uploads/<id>: image.push',
        'PUT /v2/<name>/manifests/<reference>: image.push',
        'DELETE /v2/<name>/manifests/<reference>: image.delete',
        'GET/HEAD /v2/: public',
      ]),
    );
  });

  it('is one of these: the HTTP server has no other route', () => {
    const routes = registry.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
    const paths = [...routes.matchAll(/[├└]── (\S+) \(/g)].map(([, path]) => path);
    expect(paths.sort()).toEqual(['*', '/', '/healthz', '/metrics', '/readyz', '/token', '/v2'].sort());
  });

  it('answers nobody without a token, also where policy is away', async () => {
    expect((await registry.fetch('/v2/', { as: null })).status).toBe(401);
    expect((await registry.fetch('/v2/acme/web/tags/list', { as: 'berth_token' })).status).toBe(503);
  });
});
