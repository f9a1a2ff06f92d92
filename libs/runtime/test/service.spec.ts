import { Controller, Get, Module, Param, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { BerthError } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { correlationId, createService, Health, Public, RuntimeModule } from '../src/index.js';

const env = { LOG_LEVEL: 'silent' as const, HTTP_HOST: '127.0.0.1', HTTP_PORT: 0 };

@Controller()
@Public('a spec asks')
class Desk {
  static entered = false;
  static go: () => void = () => undefined;

  @Post('whose')
  async whose() {
    await Promise.resolve();
    return { id: correlationId() };
  }
  @Get('fails/:code')
  fails(@Param('code') code: string): never {
    if (code === 'bug') throw new Error('SELECT secret FROM tokens');
    throw new BerthError('QUOTA_EXCEEDED', 'too much', { limits: [] });
  }
  @Get('waits')
  async waits() {
    const gate = new Promise<void>((resolve) => (Desk.go = resolve));
    Desk.entered = true;
    await gate;
    return { done: true };
  }
}

@Module({ imports: [RuntimeModule.forService('gateway', env)], controllers: [Desk] })
class App {}

describe('a service', () => {
  let app: NestFastifyApplication;
  let url: string;

  beforeAll(async () => {
    app = await createService({ name: 'gateway', module: App, env, bodyLimit: 1024 });
    url = await app.getUrl();
  });

  afterAll(() => app?.close());

  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/whose`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });

  it('is alive and ready, and has metrics', async () => {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ ready: true, checks: {} });
    await eventually(async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toContain('process_resident_memory_bytes');
      expect(metrics).toMatch(
        /berth_http_request_duration_seconds_count\{method="GET",route="\/healthz",status="200"\} \d/,
      );
    });
  });

  it('is not ready while a dependency is away, and says which', async () => {
    let up = false;
    app.get(Health).add('thing', () => {
      if (!up) throw new Error('gone fishing');
    });
    const away = await fetch(`${url}/readyz`);
    expect([away.status, await away.json()]).toEqual([
      503,
      { ready: false, checks: { thing: 'gone fishing' } },
    ]);
    up = true;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('keeps the correlation id that it is given, through the reading of a body', async () => {
    const answer = await post('{"a":1}', { 'x-correlation-id': 'trace-7' });
    expect([answer.headers.get('x-correlation-id'), await answer.json()]).toEqual([
      'trace-7',
      { id: 'trace-7' },
    ]);
  });

  it('takes none that could forge a log', async () => {
    const answer = await post('{}', { 'x-correlation-id': 'a b' });
    expect(answer.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['/fails/known', 409, 'QUOTA_EXCEEDED'],
    ['/fails/bug', 500, 'INTERNAL'],
    ['/nowhere', 404, 'NOT_FOUND'],
  ])('answers %s as problem+json', async (path, status, code) => {
    const answer = await fetch(url + path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({
      status,
      code,
      type: `urn:berth:error:${code}`,
      correlationId: answer.headers.get('x-correlation-id'),
    });
    expect(text).not.toContain('SELECT');
  });

  it.each([
    ['{"a":', {}, 400, 'BODY_INVALID'],
    [`{"a":"${'x'.repeat(2048)}"}`, {}, 413, 'BODY_TOO_LARGE'],
    ['<a/>', { 'content-type': 'text/xml' }, 415, 'MEDIA_TYPE_UNSUPPORTED'],
  ])('refuses a bad body by name', async (body, headers, status, code) => {
    const answer = await post(body, headers as Record<string, string>);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
  });

  it('lets what is in flight finish when it stops', async () => {
    const leaving = await createService({ name: 'gateway', module: App, env });
    const inFlight = fetch(`${await leaving.getUrl()}/waits`);
    await eventually(() => expect(Desk.entered).toBe(true));
    const closed = leaving.close();
    Desk.go();
    expect(await (await inFlight).json()).toEqual({ done: true });
    await closed;
  });
});
