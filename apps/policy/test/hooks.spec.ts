import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, headers, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { policyRpc, type Principal } from '@berth/contracts';
import { freePort } from '@berth/testing';
import { failure, PolicyService } from './policy-service.js';

let service: PolicyService;
let admin: Principal;
let dan: Principal;
let server: Server;
let url: string;
let integrator: NatsConnection;
/** What the server was asked, and what it is to answer. */
let asked: { headers: IncomingHttpHeaders; body: string }[] = [];
let answer: { status?: number; body: string; location?: string } | 'nothing' = { body: '' };

beforeAll(async () => {
  service = await PolicyService.start();
  admin = await service.admin();
  await service.call(policyRpc.createTeam, { name: 'acme' }, admin);
  dan = (await service.person('dan', { team: 'acme', role: 'developer' })).principal;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      if (answer === 'nothing') return;
      const { status = 200, body, location } = answer;
      response.writeHead(status, { ...(location && { location }) });
      response.end(body);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  integrator = await connect(await service.nats.addIntegrator('tickets'));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await integrator.close();
  await service.stop();
});
beforeEach(() => {
  asked = [];
  answer = { body: '{"allowed":true}' };
});

const set = (name: string, more = {}) =>
  service.call(policyRpc.setHook, { name, on: ['environment.remove'], timeoutMs: 500, ...more }, admin);
const unset = (name: string) => service.call(policyRpc.removeHook, { name }, admin);
const remove = (environment = 'dev', who = dan) =>
  service.decide(who, {
    action: 'environment.remove',
    resource: { type: 'Environment', id: `shop.${environment}`, team: 'acme', project: 'shop', environment },
    context: { volumes: true },
  });

describe('a hook by URL', () => {
  afterEach(() => unset('scanner'));

  it('is asked with what policies are asked with, signed with a secret that is shown once', async () => {
    const { secret } = await set('scanner', { url });
    expect((await remove()).allowed).toBe(true);
    const [{ headers, body }] = asked;
    expect(JSON.parse(body)).toMatchObject({
      ...{ action: 'environment.remove', hook: 'before', context: { volumes: true } },
      ...{
        principal: { name: 'dan', kind: 'user', admin: false },
        resource: { id: 'shop.dev', team: 'acme' },
      },
    });
    const [, time, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['berth-signature'])) ?? [];
    expect(mac).toBe(createHmac('sha256', String(secret)).update(`${time}.${body}`).digest('hex'));
    expect((await set('scanner', { url })).secret).toBeNull();
    const rotated = await set('scanner', { url, rotate: true });
    expect(rotated.secret).not.toBe(secret);
    const { items } = await service.call(policyRpc.listHooks, { limit: 10 }, admin);
    expect(
      JSON.stringify([items, service.records, await service.dataSource.query('SELECT * FROM policy_hooks')]),
    ).not.toContain(String(secret));
  });

  it('that says no denies, with its own words, whatever policies permit', async () => {
    await set('scanner', { url });
    answer = { body: '{"allowed":false,"message":"It has CVE-2026-0001."}' };
    expect(await remove()).toMatchObject({
      allowed: false,
      policies: [{ id: 'hook:scanner', message: 'It has CVE-2026-0001.' }],
    });
    answer = { body: '{"allowed":false}' };
    expect((await remove()).policies[0].message).toContain('"scanner"');
  });

  it('is not asked about what policies deny, nor elsewhere, nor about others', async () => {
    await set('scanner', { url, scope: 'environments/shop.prod' });
    answer = { body: '{"allowed":false}' };
    expect((await remove('dev')).allowed).toBe(true);
    expect((await remove('prod', (await service.person('sam')).principal)).allowed).toBe(false);
    expect(asked).toEqual([]);
    expect((await remove('prod')).allowed).toBe(false);
    expect(
      (
        await service.decide(dan, {
          action: 'team.read',
          resource: { type: 'Team', id: 'acme', team: 'acme' },
        })
      ).allowed,
    ).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it.each<[string, typeof answer, string]>([
    ['too late', 'nothing', 'none in 500 ms'],
    ['with an error', { status: 500, body: '{"allowed":true}' }, 'it answered 500'],
    ['with what is no answer', { body: 'yes' }, 'it is not {'],
    ['with half an answer', { body: '{}' }, 'it is not {'],
    ['with something like one', { body: '{"allowed":"true"}' }, 'it is not {'],
    ['from elsewhere', { status: 302, body: '', location: 'http://127.0.0.1:1/' }, 'it cannot be reached'],
    ['without end', { body: `{"allowed":true,"message":"${'x'.repeat(100_000)}"}` }, 'too large'],
  ])('that answers %s denies, or is ignored and told of', async (_what, given, told) => {
    answer = given;
    await set('scanner', { url });
    const denied = await remove();
    expect(denied).toMatchObject({ allowed: false, policies: [{ id: 'hook:scanner' }] });
    expect(denied.policies[0].message).toContain(told);
    await set('scanner', { url, onFailure: 'ignore' });
    const ignored = await remove();
    expect(ignored).toMatchObject({ allowed: true, advice: [{ id: 'hook:scanner', mode: 'warn' }] });
    expect(ignored.advice[0].message).toContain(told);
  });

  it('that is not there denies', async () => {
    await set('scanner', { url: `http://127.0.0.1:${await freePort()}/` });
    expect((await remove()).policies[0].message).toContain('it cannot be reached');
  });
});

describe('a hook over NATS', () => {
  interface Asked {
    decision: string;
    resource: { id: string };
  }

  /** Answers like an integrator that has this secret; sloppily, like one that has not. */
  async function answering(
    secret: string | null,
    answerTo: (asked: Asked) => object,
    connection = integrator,
  ): Promise<Subscription> {
    const subscription = connection.subscribe('berth.hooks.tickets', {
      callback: (_error, message) => {
        const asked = message.json<Asked>();
        const text = JSON.stringify(answerTo(asked));
        const signed = headers();
        const mac = createHmac('sha256', String(secret)).update(`${asked.decision}.${text}`).digest('hex');
        signed.set('Berth-Signature', `v1=${mac}`);
        message.respond(text, secret === null ? undefined : { headers: signed });
      },
    });
    await connection.flush();
    return subscription;
  }
  const withTicket = ({ resource }: Asked): object => ({
    ...{ allowed: resource.id === 'shop.dev', message: 'No ticket.' },
  });

  it('is asked on a subject of its own, by whoever has its credentials', async () => {
    const { secret } = await set('tickets');
    expect((await remove()).policies[0].message).toContain('nobody listens there');
    const subscription = await answering(secret, withTicket);
    expect((await remove('dev')).allowed).toBe(true);
    expect((await remove('prod')).policies).toEqual([{ id: 'hook:tickets', message: 'No ticket.' }]);
    subscription.unsubscribe();
    await unset('tickets');
    expect((await remove('prod')).allowed).toBe(true);
  });

  it('hears no one else in its place: neither without its secret, nor with another, nor with an answer of before', async () => {
    const { secret } = await set('tickets');
    const { secret: other } = await set('scanner', { url });
    await unset('scanner');
    const yes = (): object => ({ allowed: true });
    for (const forged of [null, other, 'guessed']) {
      const subscription = await answering(forged, yes);
      expect((await remove('prod')).policies[0].message).toContain('none was signed with its secret');
      subscription.unsubscribe();
    }
    // One that is faster than the right one, and would spoil its answer.
    const rival = await connect(await service.nats.addIntegrator('tickets'));
    const subscriptions = [await answering(other, yes, rival), await answering(secret, withTicket)];
    expect((await remove('dev')).allowed).toBe(true);
    expect((await remove('prod')).policies).toEqual([{ id: 'hook:tickets', message: 'No ticket.' }]);
    for (const subscription of subscriptions) subscription.unsubscribe();
    const first = { decision: '', text: '', signature: '' };
    const replaying = integrator.subscribe('berth.hooks.tickets', {
      callback: (_error, message) => {
        const { decision } = message.json<Asked>();
        const text = JSON.stringify({ allowed: true });
        if (!first.decision) {
          const mac = createHmac('sha256', String(secret)).update(`${decision}.${text}`).digest('hex');
          Object.assign(first, { decision, text, signature: `v1=${mac}` });
        }
        const signed = headers();
        signed.set('berth-signature', first.signature);
        message.respond(first.text, { headers: signed });
      },
    });
    await integrator.flush();
    expect((await remove('prod')).allowed).toBe(true);
    expect((await remove('prod')).allowed).toBe(false);
    replaying.unsubscribe();
    await rival.close();
    await unset('tickets');
  });

  it('gives those credentials no other subject: not even what other hooks are asked', async () => {
    const refused: string[] = [];
    void (async () => {
      for await (const status of integrator.status()) refused.push(JSON.stringify(status));
    })();
    // Somebody else is let in meanwhile: connections stay.
    const other = await connect(await service.nats.addIntegrator('scanner'));
    const heard: string[] = [];
    for (const subject of ['berth.hooks.scanner', 'berth.hooks.*', 'berth.hooks.>'])
      integrator.subscribe(subject, { callback: (error, { subject: of }) => void (error ?? heard.push(of)) });
    await set('scanner');
    const asked = new Promise((resolve) => {
      other.subscribe('berth.hooks.scanner', {
        callback: (_error, message) => resolve(message.respond('{}')),
      });
    });
    await other.flush();
    await Promise.all([remove(), asked]);
    expect(heard).toEqual([]);
    await unset('scanner');
    await other.close();
    integrator.subscribe('berth.rpc.policy.decide', { callback: () => undefined });
    integrator.publish('berth.rpc.policy.decide', '{}');
    await integrator.flush();
    await expect(integrator.request('berth.rpc.policy.whoami', '{}', { timeout: 300 })).rejects.toThrow();
    expect(refused.join()).toMatch(/permission/i);
  });
});

test('several are asked at once, and each may say no', async () => {
  answer = { body: '{"allowed":false,"message":"No."}' };
  await Promise.all([set('one', { url }), set('two', { url }), set('three')]);
  expect((await remove()).policies.map(({ id }) => id)).toEqual(['hook:one', 'hook:three', 'hook:two']);
  await Promise.all(['one', 'two', 'three'].map(unset));
});

test('what is done to policies and hooks is not asked about: a broken one can be removed', async () => {
  expect((await failure(set('all', { on: ['policy.apply'] }))).code).toBe('VALIDATION_FAILED');
  expect((await failure(set('all', { on: ['hook.remove'] }))).code).toBe('VALIDATION_FAILED');
  expect((await failure(set('all', { on: ['nothing.such'] }))).code).toBe('VALIDATION_FAILED');
  expect((await failure(set('all', { scope: 'teams/ghost' }))).code).toBe('NOT_FOUND');
  expect((await failure(set('all', { url: 'file:///etc/passwd' }))).code).toBe('VALIDATION_FAILED');
  expect((await failure(unset('ghost'))).code).toBe('NOT_FOUND');
  expect((await failure(service.call(policyRpc.setHook, { name: 'x', on: ['team.read'] }, dan))).code).toBe(
    'POLICY_DENIED',
  );
});
