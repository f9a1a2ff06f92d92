import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { runningProcess, startRegistry, stopRegistry } from '@berth/host';
import {
  endRun,
  makeImage,
  pushImage,
  startPlatform,
  startRun,
  type TestImage,
  type TestPlatform,
} from '@berth/testing';
import { figure, holds, line, median, type Figure } from './figures.js';
import { memoryOf } from './memory.js';
import { wrk, type Load, type LoadOptions } from './wrk.js';

const ROUNDS = 3;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const LAYER_BYTES = 100 * 1024 ** 2;
const REPOSITORY = 'acme/bench';
/** Without it docker-registry takes a client for one of before 2016, and looks for another format. */
const ACCEPT = 'application/vnd.docker.distribution.manifest.v2+json, */*';
const MANIFEST_BAR = 2.5;
const BLOB_BAR = 1;

/** A registry to be measured: where it answers, and how one asks it. */
interface Side {
  url: string;
  headers: Record<string, string>;
}

/**
 * Berth's registry, with policy and audit on, beside Debian's docker-registry, which checks nothing: the same image in both, asked in
 * turn on one machine. All that it starts lives in a folder of its own, and goes with it.
 */
async function main(): Promise<void> {
  const folder = await startRun();
  const theirs = {
    folder: join(folder, 'theirs'),
    pidFile: join(folder, 'theirs.pid'),
    logFile: join(folder, 'theirs.log'),
  };
  let platform: TestPlatform | undefined;
  try {
    platform = await startPlatform({ services: ['gateway', 'policy', 'quota', 'audit', 'registry-proxy'] });
    const image = await makeImage({
      name: REPOSITORY,
      busybox: false,
      files: { '/layer': { content: randomBytes(LAYER_BYTES) } },
    });
    const berth = await berthSide(platform);
    const plain = { url: `http://127.0.0.1:${await startRegistry(theirs)}`, headers: {} };
    await pushImage(image, berth.url, { authorization: berth.headers.authorization });
    await pushImage(image, plain.url);
    const figures = [...(await manifests(berth, plain, image)), ...(await blobs(berth, plain, image))];
    const pid = runningProcess(join(platform.home, 'run', 'registry-proxy.pid'))?.pid;
    if (pid !== undefined)
      figures.push(figure('memory of the registry after it all', 'MiB', memoryOf(pid).rss));
    for (const measured of figures) console.log(line(measured));
    process.exitCode = figures.every(holds) ? 0 : 1;
  } finally {
    await stopRegistry(theirs);
    await platform?.stop();
    await endRun(folder);
  }
}

/** As a developer of a team, with a token that may do what she may. */
async function berthSide({ api, registry }: TestPlatform): Promise<Side> {
  const made = async <T>(answer: Promise<{ status: number; body: T }>): Promise<T> => {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(JSON.stringify(body));
    return body;
  };
  await made(api.post('/v1/teams', { name: 'acme' }));
  await made(api.post('/v1/users', { name: 'dana' }));
  await made(api.put('/v1/teams/acme/members/dana', { role: 'developer' }));
  const { token } = await made(api.post<{ token: string }>('/v1/tokens', { user: 'dana', scopes: ['*'] }));
  return { url: `http://${registry}`, headers: { authorization: `Bearer ${token}` } };
}

async function manifests(berth: Side, plain: Side, image: TestImage): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, reference] of [['tag', image.tag] as const, ['digest', image.digest] as const]) {
    const path = `/v2/${REPOSITORY}/manifests/${reference}`;
    for (const connections of [1, 16, 50]) {
      const { ours, others } = await inTurn(berth, plain, path, connections);
      const what = `manifest by ${name}, c=${connections}`;
      figures.push(
        figure(
          `${what}: Berth`,
          '/s',
          ours.map(({ perSecond }) => perSecond),
        ),
        figure(
          `${what}: docker-registry`,
          '/s',
          others.map(({ perSecond }) => perSecond),
        ),
        figure(
          `${what}: Berth p50`,
          'ms.',
          ours.map(({ p50 }) => p50),
        ),
        figure(
          `${what}: Berth p99`,
          'ms.',
          ours.map(({ p99 }) => p99),
          connections === 16 ? 10 : undefined,
        ),
        figure(
          `${what}: docker-registry p99`,
          'ms.',
          others.map(({ p99 }) => p99),
        ),
        share(what, ours, others, ({ perSecond }) => perSecond, MANIFEST_BAR),
      );
    }
  }
  return figures;
}

async function blobs(berth: Side, plain: Side, image: TestImage): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const connections of [1, 8]) {
    const { ours, others } = await inTurn(
      berth,
      plain,
      `/v2/${REPOSITORY}/blobs/${image.layers[0].digest}`,
      connections,
    );
    const what = `warm blob of 100 MiB, c=${connections}`;
    const gibs = ({ bytesPerSecond }: Load): number => bytesPerSecond / 1024 ** 3;
    figures.push(
      figure(`${what}: Berth`, 'GiB/s', ours.map(gibs)),
      figure(`${what}: docker-registry`, 'GiB/s', others.map(gibs)),
      share(what, ours, others, gibs, BLOB_BAR),
    );
  }
  return figures;
}

async function inTurn(
  berth: Side,
  plain: Side,
  path: string,
  connections: number,
): Promise<{ ours: Load[]; others: Load[] }> {
  const [ours, others]: [Load[], Load[]] = [[], []];
  const ask = ({ url, headers }: Side, seconds: number): Promise<Load> => {
    const options: LoadOptions = { connections, seconds, headers: { accept: ACCEPT, ...headers } };
    return wrk(url + path, options);
  };
  for (const side of [berth, plain]) await ask(side, 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await ask(berth, SECONDS));
    others.push(await ask(plain, SECONDS));
  }
  return { ours, others };
}

function share(what: string, ours: Load[], others: Load[], of: (load: Load) => number, bar: number): Figure {
  const part = median(ours.map(of)) / median(others.map(of));
  return { ...figure(`${what}: beside docker-registry`, 'x', part), atLeast: bar };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
