import type { InstanceStats, LogLine, Page } from '@berth/contracts';
import { type ApiClient, buildTestImage, eventually, startPlatform, type TestPlatform } from '@berth/testing';
import { deploy, expectStatus, newcomer, newProject, services } from './support/people.js';

jest.setTimeout(240_000);

let platform: TestPlatform;
let dana: ApiClient;
const PLACE = '/v1/projects/shop/environments/dev';

beforeAll(async () => {
  const count = 'i=0; while true; do i=$((i+1)); echo $V $i; sleep 0.05; done';
  await buildTestImage({ name: 'count', cmd: ['sh', '-c', count] });
  platform = await startPlatform();
  dana = await newcomer(platform, 'acme', 'dana');
  await newProject(dana, 'acme', 'shop');
  const compose = 'services: { web: { image: count:1, environment: { V: one } } }';
  expect(await deploy(dana, 'shop', compose)).toMatchObject({ status: 'succeeded' });
});
afterAll(() => platform?.stop());

/** The lines of a stream of events as they come, until it ends. */
function follow(path: string): { lines: LogLine[]; text: () => string; stop: () => void } {
  const stop = new AbortController();
  const lines: LogLine[] = [];
  let text = '';
  const read = async (): Promise<void> => {
    const response = await fetch(platform.url + path, {
      headers: { authorization: `Bearer ${dana.token}` },
      signal: stop.signal,
    });
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of response.body ?? []) {
      const piece = decoder.decode(chunk as Uint8Array, { stream: true });
      text += piece;
      const events = (rest + piece).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const data = /^event: log\ndata: (.*)$/m.exec(event)?.[1];
        if (data) lines.push(JSON.parse(data) as LogLine);
      }
    }
  };
  read().catch(() => undefined);
  return { lines, text: () => text, stop: () => stop.abort() };
}

const numbers = (lines: LogLine[]): number[] => lines.map(({ line }) => Number(line.split(' ')[1]));

it.each(['SIGKILL', 'SIGTERM'] as const)(
  'who follows the output goes on reading when the scheduler ends by %s, with no line lost or twice',
  async (signal) => {
    const reader = follow(`${PLACE}/logs?follow=true&tail=5`);
    await eventually(() => expect(reader.lines.length).toBeGreaterThan(20));
    await platform.service('scheduler').kill(signal);
    const before = reader.lines.length;
    await platform.service('scheduler').restart();
    await eventually(() => expect(reader.lines.length).toBeGreaterThan(before + 50), { timeout: 40_000 });
    reader.stop();
    const got = numbers(reader.lines);
    expect(got).toEqual(got.map((_, index) => got[0] + index));
    expect(reader.text()).not.toMatch(/event: (error|lost|end)/);
  },
);

test('what an instance uses is told', async () => {
  const [{ instances }] = await services(dana, 'shop');
  const { items } = expectStatus(await dana.get<Page<InstanceStats>>(`${PLACE}/stats`), 200);
  expect(items).toMatchObject([{ service: 'web', instance: instances[0].id }]);
  expect(items[0].usage?.memory).toBeGreaterThan(10_000);
});
