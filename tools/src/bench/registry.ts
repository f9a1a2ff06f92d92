import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runningProcess, startRegistry, stopRegistry, waitUntil } from '@berth/host';
import {
  endRun,
  makeImage,
  objectStorage,
  pushImage,
  startPlatform,
  startRun,
  type TestImage,
  type TestPlatform,
} from '@berth/testing';
import { makeDeveloper } from '../developer.js';
import { startDistant } from './distant.js';
import { figure, holds, line, median, ratio, type Figure } from './figures.js';
import { peakMemoryOf } from './memory.js';
import { putObject } from './stored-objects.js';
import { startSlowUpstream, type SlowUpstream } from './slow-upstream.js';
import { download, upload } from './transfers.js';
import { wrk, type Load, type LoadOptions } from './wrk.js';

const ROUNDS = 3;
const SECONDS = 4;
const LAYER_BYTES = 100 * 1024 ** 2;
const REPOSITORY = 'acme/bench';
/** Without it docker-registry takes a client for one of before 2016, and looks for another format. */
const ACCEPT = 'application/vnd.docker.distribution.manifest.v2+json, */*';
const HERD = 50;
const DISTANCE_MS = 30;
const LINE_BYTES_PER_SECOND = 100e6;
const MANIFEST_BAR = 2.5;
const BLOB_BAR = 1;

/** A registry to be measured: where it answers, and how one asks it. */
interface Side {
  url: string;
  headers: Record<string, string>;
  pid: number;
}

/**
 * Berth's registry, with policy and audit on, beside Debian's docker-registry, which checks nothing: the same image in both, asked in
 * turn on one machine; or what the arguments name of manifests, blobs, pushes, cold, objects. All that it starts lives in a folder of its own, and goes with it.
 */
async function main(): Promise<void> {
  const folder = await startRun();
  const started: (() => Promise<unknown>)[] = [];
  const registry = async (name: string, proxyOf?: string): Promise<Side> => {
    const files = {
      folder: join(folder, name),
      pidFile: join(folder, `${name}.pid`),
      logFile: join(folder, `${name}.log`),
    };
    const port = await startRegistry({ ...files, proxyOf });
    started.push(() => stopRegistry(files));
    return { url: `http://127.0.0.1:${port}`, headers: {}, pid: runningProcess(files.pidFile)?.pid ?? 0 };
  };
  try {
    const origin = await registry('origin');
    const slow = await startSlowUpstream(origin.url, LINE_BYTES_PER_SECOND);
    started.push(() => slow.stop());
    const platform = await startPlatform({
      services: ['gateway', 'policy', 'quota', 'audit', 'registry-proxy'],
      upstreams: { 'docker.io': { url: slow.url } },
    });
    started.push(() => platform.stop());
    const berth = await berthSide(platform);
    const plain = await registry('plain');
    const proxy = await registry('proxy', slow.url);
    const image = await newImage();
    await pushImage(image, berth.url, { authorization: berth.headers.authorization });
    await pushImage(image, plain.url);
    const parts: Record<string, () => Promise<Figure[]>> = {
      manifests: () => manifests(berth, plain, image),
      blobs: () => blobs(berth, plain, image),
      pushes: () => pushes(berth, plain, folder),
      cold: () => cold({ berth, proxy, origin, slow }),
      objects: () => objects(started),
    };
    const wanted = process.argv.slice(2);
    const figures: Figure[] = [];
    for (const [name, measure] of Object.entries(parts))
      if (wanted.length === 0 || wanted.includes(name)) figures.push(...(await measure()));
    figures.push(
      figure('memory at its peak through all of this, Berth', 'MiB', peakMemoryOf(berth.pid), 256),
    );
    for (const measured of figures) console.log(line(measured));
    process.exitCode = figures.every(holds) ? 0 : 1;
  } finally {
    for (const stop of started.reverse()) await stop();
    await endRun(folder);
  }
}

/** Of one layer that there is nowhere yet. */
function newImage(): Promise<TestImage> {
  const files = { '/layer': { content: randomBytes(LAYER_BYTES) } };
  return makeImage({ name: REPOSITORY, busybox: false, files });
}

/** As a developer of a team, with a token that may do what she may. */
async function berthSide(platform: TestPlatform): Promise<Side> {
  const token = await makeDeveloper(platform);
  const pid = platform.service('registry-proxy').pid() ?? 0;
  return { url: `http://${platform.registry}`, headers: { authorization: `Bearer ${token}` }, pid };
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

/** A layer of its own each time, in one piece, as docker sends it. */
async function pushes(berth: Side, plain: Side, folder: string): Promise<Figure[]> {
  const file = join(folder, 'layer');
  const [ours, others]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [side, seconds] of [[berth, ours] as const, [plain, others] as const]) {
      const layer = randomBytes(LAYER_BYTES);
      writeFileSync(file, layer);
      const begun = await fetch(`${side.url}/v2/${REPOSITORY}/blobs/uploads/`, {
        method: 'POST',
        headers: side.headers,
      });
      const location = new URL(begun.headers.get('location') ?? '', side.url);
      location.searchParams.set('digest', `sha256:${createHash('sha256').update(layer).digest('hex')}`);
      seconds.push(await upload(location.href, side.headers, file));
    }
  }
  const what = 'push of 100 MiB';
  return [
    figure(`${what}: Berth`, 's', ours),
    figure(`${what}: docker-registry`, 's', others),
    { ...ratio(`${what}: speed beside docker-registry`, others, ours), atLeast: BLOB_BAR },
  ];
}

/**
 * Blobs in an object storage, at hand and so many milliseconds away: through Berth, from where Berth sends clients, and as one object
 * straight from the storage. No bar but to know which is faster.
 */
async function objects(started: (() => Promise<unknown>)[]): Promise<Figure[]> {
  const storage = await objectStorage();
  const figures: Figure[] = [];
  for (const milliseconds of [0, DISTANCE_MS]) {
    const distant = await startDistant(storage.endpoint, milliseconds);
    started.push(() => distant.stop());
    const endpoint = milliseconds === 0 ? storage.endpoint : distant.url;
    const image = await newImage();
    const path = `/v2/${REPOSITORY}/blobs/${image.layers[0].digest}`;
    const services = ['gateway', 'policy', 'quota', 'audit', 'registry-proxy'] as const;
    const side = async (redirect: 'on' | 'off'): Promise<Side> => {
      const bucket = { name: `bench-${milliseconds}-${redirect}`, endpoint, redirect };
      const platform = await startPlatform({ services, bucket });
      started.push(() => platform.stop());
      const berth = await berthSide(platform);
      await pushImage(image, berth.url, { authorization: berth.headers.authorization });
      return berth;
    };
    const [sending, redirecting] = [await side('off'), await side('on')];
    await redirected(redirecting, path);
    const { content } = image.layers[0];
    const whole = await putObject({ ...storage, endpoint }, `bench-${milliseconds}-off`, 'whole', content);
    for (const clients of [1, 8]) {
      const [through, there, directly]: [number[], number[], number[]] = [[], [], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        through.push((await download(sending.url + path, sending.headers, clients)).at(-1) ?? NaN);
        there.push((await download(redirecting.url + path, redirecting.headers, clients)).at(-1) ?? NaN);
        directly.push((await download(whole, {}, clients)).at(-1) ?? NaN);
      }
      const what = `100 MiB from an object storage ${milliseconds} ms away, ${clients} at once`;
      figures.push(
        figure(`${what}: through Berth`, 's', through),
        figure(`${what}: sent there by Berth`, 's', there),
        figure(`${what}: straight from it`, 's', directly),
        ratio(`${what}: through Berth beside straight`, through, directly),
        ratio(`${what}: sent there beside straight`, there, directly),
      );
    }
  }
  return figures;
}

/** Asks for it until the registry sends clients to the storage. */
async function redirected({ url, headers }: Side, path: string): Promise<void> {
  const sent = async (): Promise<boolean> => {
    const response = await fetch(url + path, { headers, redirect: 'manual' });
    await response.arrayBuffer();
    return response.status === 307;
  };
  if (!(await waitUntil(sent, 60_000))) throw new Error(`${path} is not in the object storage as a whole`);
}

interface ColdSides {
  berth: Side;
  proxy: Side;
  /** Where images of the upstream are put. */
  origin: Side;
  slow: SlowUpstream;
}

/** What is not here yet, over a line of 100 MB/s: by one client, and by fifty at once. */
async function cold({ berth, proxy, origin, slow }: ColdSides): Promise<Figure[]> {
  const times = { direct: [] as number[], one: [] as number[], herd: [] as number[], gets: [] as number[] };
  const path = ({ layers }: TestImage): string => `/v2/${REPOSITORY}/blobs/${layers[0].digest}`;
  const through = (image: TestImage): string =>
    `${berth.url}${path(image).replace('/v2/', '/v2/docker.io/')}`;
  for (let round = 0; round < ROUNDS; round += 1) {
    const [one, many] = [await newImage(), await newImage()];
    for (const image of [one, many]) await pushImage(image, origin.url);
    times.direct.push(...(await download(slow.url + path(one), {})));
    times.one.push(...(await download(through(one), berth.headers)));
    await slow.blobGets();
    times.herd.push((await download(through(many), berth.headers, HERD)).at(-1) ?? NaN);
    times.gets.push(await slow.blobGets());
  }
  const image = await newImage();
  await pushImage(image, origin.url);
  await slow.blobGets();
  const others = (await download(proxy.url + path(image), {}, HERD)).at(-1) ?? NaN;
  const othersGets = await slow.blobGets();
  return [
    figure('cold 100 MiB: directly', 's', times.direct),
    figure('cold 100 MiB: Berth', 's', times.one),
    ratio('cold 100 MiB: Berth beside directly', times.one, times.direct, 1.1),
    figure(`${HERD} at once: slowest, Berth`, 's', times.herd),
    ratio(`${HERD} at once: slowest, Berth beside one directly`, times.herd, times.direct, 3),
    figure(`${HERD} at once: asked of the upstream, Berth`, 'GETs', times.gets, 1),
    figure(`${HERD} at once: slowest, docker-registry`, 's', others),
    figure(`${HERD} at once: asked of the upstream, docker-registry`, 'GETs', othersGets),
    figure('memory at its peak through the herd, docker-registry', 'MiB', peakMemoryOf(proxy.pid)),
  ];
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
