import { eventually, startPlatform, type TestPlatform } from '../src/index.js';

/** Without the scheduler nothing touches the engine: this is about the processes. */
describe("a test's platform", () => {
  let platform: TestPlatform;

  beforeAll(async () => {
    platform = await startPlatform({ services: ['policy', 'quota', 'audit', 'registry-proxy', 'gateway'] });
  }, 120_000);

  afterAll(() => platform?.stop());

  it('answers, and knows its admin', async () => {
    expect((await platform.api.get('/openapi.json')).status).toBe(200);
    expect((await platform.api.get('/v1/teams')).status).toBe(200);
    expect((await platform.api.as('berth_wrong').get('/v1/teams')).status).toBe(401);
  });

  it('has services that can be killed and started again', async () => {
    const quota = platform.service('quota');
    const first = quota.pid();
    await quota.kill();
    expect(quota.pid()).toBeUndefined();
    await quota.restart();
    expect(quota.pid()).not.toBe(first);
    expect((await fetch(`${quota.url}/readyz`)).status).toBe(200);
    expect(quota.logs()).toContain('service.started');
  });

  it('accepts the same admin after policy was started anew', async () => {
    await platform.service('policy').restart();
    await eventually(async () => expect((await platform.api.get('/v1/teams')).status).toBe(200));
  });

  it('has data stores that can be lost and found', async () => {
    const { url } = platform.service('audit');
    await platform.stopPart('postgres');
    await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(503));
    await platform.startParts();
    await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
  });
});
