import { connect } from 'node:net';
import { once } from 'node:events';
import { Controller, Get, Module } from '@nestjs/common';
import { createService, Public, RuntimeModule } from '../src/index.js';

const env = { LOG_LEVEL: 'silent' as const, HTTP_HOST: '127.0.0.1', HTTP_PORT: 0 };
let finish: () => void = () => undefined;

@Controller()
@Public('a spec asks')
class Desk {
  @Get('waits')
  async waits(): Promise<object> {
    await new Promise<void>((resolve) => (finish = resolve));
    return { done: true };
  }
}

@Module({ imports: [RuntimeModule.forService('gateway', env)], controllers: [Desk] })
class App {}

test('a stop waits for requests, and not for connections that carry none', async () => {
  const app = await createService({ name: 'gateway', module: App, env });
  const port = Number(new URL(await app.getUrl()).port);
  const silent = connect(port, '127.0.0.1');
  const busy = connect(port, '127.0.0.1');
  await Promise.all([once(silent, 'connect'), once(busy, 'connect')]);
  let answer = '';
  busy.setEncoding('utf8').on('data', (text: string) => (answer += text));
  const entered = new Promise<void>((resolve) => app.getHttpServer().once('request', () => resolve()));
  busy.write('GET /waits HTTP/1.1\r\nHost: here\r\n\r\n');
  await entered;

  const silentEnded = once(silent.resume(), 'close');
  const busyEnded = once(busy, 'close');
  const closed = app.close();
  await silentEnded;
  expect(answer).toBe('');
  finish();
  await closed;
  await busyEnded;
  expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*\{"done":true\}$/);
});
