import { policyRpc, type Problem } from '@berth/contracts';
import { ApiClient, eventually } from '@berth/testing';
import { startGateway, type TestGateway } from './gateway.js';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());
beforeEach(() => gateway.peers.reset());

const whoami = () => gateway.api.get<Problem>('/v1/whoami');

test('a service that is not there is named', async () => {
  await gateway.peers.as('audit').close();
  const { status, body } = await gateway.api.get<Problem>('/v1/audit/records');
  expect([status, body.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
  expect(body.detail).toContain('"audit"');
});

test('while the bus is away nothing is done, and it is said at once; afterwards all is well', async () => {
  await gateway.nats.stop();
  await eventually(async () => {
    const { status, body } = await whoami();
    expect([status, body.code]).toEqual([503, 'POLICY_UNAVAILABLE']);
  });
  const ready = await new ApiClient(gateway.url).get('/readyz');
  expect([ready.status, ready.body]).toMatchObject([503, { checks: { nats: 'not connected' } }]);
  await gateway.nats.start();
  gateway.peers.on(policyRpc.whoami, () => ({ ...principal }));
  await eventually(async () => expect((await whoami()).status).toBe(200));
});

test('without policy nobody gets in', async () => {
  await gateway.peers.as('policy').close();
  const { status, body } = await whoami();
  expect([status, body.code]).toEqual([503, 'POLICY_UNAVAILABLE']);
});

const principal = {
  user: 'mira',
  kind: 'user' as const,
  admin: false,
  teams: [],
  tokenId: null,
  scopes: ['*'],
  expiresAt: null,
};
