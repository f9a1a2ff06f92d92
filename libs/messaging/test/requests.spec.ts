import { Controller, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { BerthError, defineRpc, type Principal } from '@berth/contracts';
import {
  createService,
  currentContext,
  newRequestContext,
  RuntimeModule,
  runInContext,
} from '@berth/runtime';
import { eventually, startTestNats, type TestNats } from '@berth/testing';
import { Handles, MessagingModule, NatsLink, RpcClient, serveRpc } from '../src/index.js';

const whose = defineRpc(
  'policy',
  'test.whose',
  z.strictObject({ n: z.int() }),
  z.object({ user: z.string(), id: z.string(), n: z.int() }),
);
const breaks = defineRpc('policy', 'test.breaks', z.strictObject({ how: z.string() }), z.object({}));
const waits = defineRpc('policy', 'test.waits', z.strictObject({}), z.object({ done: z.boolean() }));
const nobody = defineRpc('policy', 'test.nobody', z.strictObject({}), z.object({}));

const actor: Principal = {
  user: 'ada',
  kind: 'user',
  admin: false,
  teams: [],
  tokenId: null,
  scopes: ['*'],
  expiresAt: null,
};

@Controller()
class Desk {
  static waiting = false;
  static go: () => void = () => undefined;

  @Handles(whose)
  async whose({ n }: { n: number }) {
    await Promise.resolve();
    const context = currentContext();
    return {
      user: context?.actor?.user ?? 'nobody',
      id: context?.correlationId ?? 'none',
      n,
      secret: 'not in the schema',
    };
  }

  @Handles(breaks)
  breaks({ how }: { how: string }): Promise<Record<string, never>> {
    throw how === 'known'
      ? new BerthError('QUOTA_EXCEEDED', 'too much', { limits: [1] })
      : new Error('inside');
  }

  @Handles(waits)
  async waits() {
    const gate = new Promise<void>((resolve) => (Desk.go = resolve));
    Desk.waiting = true;
    await gate;
    return { done: true };
  }
}

describe('requests between services', () => {
  let nats: TestNats;
  let server: NestFastifyApplication;
  let client: NestFastifyApplication;
  let rpc: RpcClient;

  const start = (service: 'policy' | 'gateway', controllers: (typeof Desk)[]) => {
    const env = {
      ...nats.as(service).env,
      LOG_LEVEL: 'silent' as const,
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: 0,
    };
    @Module({
      imports: [
        RuntimeModule.forService(service, env),
        MessagingModule.forService({ service, env, outbox: false }),
      ],
      controllers,
    })
    class App {}
    return createService({ name: service, module: App, env, prepare: [serveRpc] });
  };

  beforeAll(async () => {
    nats = await startTestNats();
    server = await start('policy', [Desk]);
    client = await start('gateway', []);
    rpc = client.get(RpcClient);
  });

  afterAll(async () => {
    await client?.close();
    await server?.close();
    await nats?.remove();
  });

  it('carry the correlation id and the actor along, and no more than the schema says', async () => {
    const context = newRequestContext('trace-7', actor);
    const answer = await runInContext(context, () => rpc.call(whose, { n: 1 }));
    expect(answer).toEqual({ user: 'ada', id: 'trace-7', n: 1 });
  });

  it('are kept apart when many are under way', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_unused, n) =>
        runInContext(newRequestContext(`trace-${n}`), () =>
          rpc.call(whose, { n }, { actor: { ...actor, user: `user-${n}` } }),
        ),
      ),
    );
    answers.forEach((answer, n) => expect(answer).toEqual({ user: `user-${n}`, id: `trace-${n}`, n }));
  });

  it('bring an error over as it was thrown', async () => {
    await expect(rpc.call(breaks, { how: 'known' })).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      status: 409,
      message: 'too much',
      extensions: { limits: [1] },
    });
  });

  it('say nothing of the inside of an unforeseen error', async () => {
    const error: unknown = await rpc.call(breaks, { how: 'unknown' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'INTERNAL' });
    expect(JSON.stringify((error as BerthError).toProblem())).not.toContain('inside');
  });

  it('name the field that is not in the contract', async () => {
    const payload = { n: 1, colour: 'red' } as { n: number };
    await expect(rpc.call(whose, payload)).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      message: expect.stringContaining('colour') as string,
    });
  });

  it('fail at once when no instance is there', async () => {
    const started = performance.now();
    await expect(rpc.call(nobody, {})).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(performance.now() - started).toBeLessThan(nobody.timeout / 2);
  });

  it('are refused to a service that has no business there', async () => {
    const foreign = defineRpc('scheduler', 'test.whose', z.strictObject({}), z.object({}), 500);
    await expect(server.get(RpcClient).call(foreign, {})).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
    });
  });

  it('fail at once while the bus is away, and work again when it is back', async () => {
    await nats.stop();
    await eventually(() => expect(client.get(NatsLink).connected).toBe(false));
    await expect(rpc.call(whose, { n: 2 })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await nats.start();
    await eventually(async () => expect((await rpc.call(whose, { n: 3 })).n).toBe(3));
  });

  it('that are in flight at a stop are answered, and new ones are not taken', async () => {
    const leaving = await start('policy', [Desk]);
    await server.close();
    Desk.waiting = false;
    const inFlight = rpc.call(waits, {});
    await eventually(() => expect(Desk.waiting).toBe(true));
    const closed = leaving.close();
    await eventually(() =>
      expect(rpc.call(whose, { n: 4 })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' }),
    );
    Desk.go();
    await expect(inFlight).resolves.toEqual({ done: true });
    await closed;
    server = await start('policy', [Desk]);
  });
});
