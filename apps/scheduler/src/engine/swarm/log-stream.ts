import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { LogLine } from '@berth/contracts';
import type { EnvironmentRef, LogRequest } from '../container-engine.js';
import { Demultiplexer, demultiplex, type StreamLine } from './demultiplex.js';
import { orUndefined } from './docker-client.js';
import { LABEL } from './labels.js';
import type { SwarmObjects } from './swarm-objects.js';

/** Lines of the past and of the follow-up overlap by this much, so that none is lost between the two calls. */
const OVERLAP_MS = 2_000;
const GONE_POLL_MS = 2_000;
/** How often a service that is followed is looked at for a new Swarm service of its own. */
const GENERATION_POLL_MS = 500;
const TASK_ID = /com\.docker\.swarm\.task\.id=(\w+)/;

/**
 * The output of all instances of a service: first what there is, in order of time, then, when asked to follow, what
 * comes, until the signal is aborted or the service is gone.
 */
export async function* streamLogs(
  docker: Docker,
  objects: SwarmObjects,
  target: EnvironmentRef,
  request: LogRequest,
): AsyncIterable<LogLine> {
  const labels = { ...objects.labelsOf(target), [LABEL.service]: request.service };
  const services = await objects.services(labels);
  if (services.length === 0) return;
  const begun = Date.now();
  const found = await Promise.all(services.map((service) => readPast(docker, service.ID, request)));
  const past = found.flat().sort(byTime).slice(-request.tail);
  for (const line of past) yield toLogLine(line, request.service);
  if (!request.follow) return;
  const seen = new Set(past.map(keyOf));
  const last = past.at(-1)?.time;
  const since = new Date((last ? Date.parse(last) : begun) - OVERLAP_MS);
  for await (const line of followAll(docker, objects, labels, since, request.signal)) {
    // What came before the overlap was asked for by `tail` or not at all.
    if (
      last
        ? line.time <= last && (seen.has(keyOf(line)) || past.length >= request.tail)
        : isBefore(line, begun)
    )
      continue;
    yield toLogLine(line, request.service);
  }
}

interface TaskLine extends StreamLine {
  /** RFC 3339 with nanoseconds, as the engine wrote it: sorts as text. */
  time: string;
  task: string;
}

async function readPast(docker: Docker, id: string, { tail, since }: LogRequest): Promise<TaskLine[]> {
  if (tail === 0) return [];
  const output = await orUndefined(
    () =>
      docker.getService(id).logs({
        ...ALL,
        follow: false,
        tail,
        ...(since ? { since: Math.floor(since.getTime() / 1_000) } : {}),
      }) as unknown as Promise<Buffer>,
  );
  const lines = demultiplex(Buffer.isBuffer(output) ? output : Buffer.from(output ?? '')).flatMap(parseLine);
  const from = since?.toISOString();
  return lines
    .filter((line) => from === undefined || line.time >= from)
    .sort(byTime)
    .slice(-tail);
}

function byTime(a: TaskLine, b: TaskLine): number {
  return a.time < b.time ? -1 : a.time > b.time ? 1 : 0;
}

/** Through rollouts: a service is followed in each Swarm service that it has had since, until it has none. */
async function* followAll(
  docker: Docker,
  objects: SwarmObjects,
  labels: Record<string, string>,
  since: Date,
  wanted: AbortSignal,
): AsyncIterable<TaskLine> {
  // The reader may also just stop reading.
  const left = new AbortController();
  const signal = AbortSignal.any([wanted, left.signal]);
  const merged = new PassThrough({ objectMode: true });
  const known = new Set<string>();
  let open = 0;
  const attach = async (id: string): Promise<void> => {
    known.add(id);
    open += 1;
    try {
      for await (const line of follow(docker, id, since, signal)) {
        if (!merged.write(line)) await once(merged, 'drain', { signal });
      }
    } finally {
      open -= 1;
    }
  };
  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      const present = await objects.services(labels);
      for (const { ID: id } of present) {
        if (!known.has(id))
          void attach(id).catch((error: Error) => merged.destroy(signal.aborted ? undefined : error));
      }
      if (present.length === 0 && open === 0) break;
      await delay(GENERATION_POLL_MS, undefined, { signal });
    }
  };
  void watch()
    .catch((error: Error) => (signal.aborted ? undefined : merged.destroy(error)))
    .finally(() => merged.end());
  try {
    for await (const line of merged) yield line as TaskLine;
  } finally {
    left.abort();
    merged.destroy();
  }
}

const ALL = { stdout: true, stderr: true, timestamps: true, details: true } as const;

async function* follow(
  docker: Docker,
  id: string,
  since: Date,
  signal: AbortSignal,
): AsyncIterable<TaskLine> {
  const stream = (await orUndefined(() =>
    docker.getService(id).logs({ ...ALL, follow: true, since: Math.floor(since.getTime() / 1_000) }),
  )) as unknown as Readable | undefined;
  if (!stream) return;
  const stop = (): void => void stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  // The engine keeps the stream open when the service is long gone.
  const watch = new AbortController();
  void endWithService(docker, id, stream, watch.signal);
  const demultiplexer = new Demultiplexer();
  try {
    for await (const chunk of stream) yield* demultiplexer.push(chunk as Buffer).flatMap(parseLine);
  } catch (error) {
    // With its service the engine ends the stream in one way or another, at times in the middle of a frame.
    if (!signal.aborted && (await orUndefined(() => docker.getService(id).inspect()))) throw error;
  } finally {
    watch.abort();
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

async function endWithService(
  docker: Docker,
  id: string,
  stream: Readable,
  signal: AbortSignal,
): Promise<void> {
  try {
    while (!signal.aborted) {
      await delay(GONE_POLL_MS, undefined, { signal });
      if (!(await orUndefined(() => docker.getService(id).inspect()))) {
        stream.destroy();
        return;
      }
    }
  } catch {
    // Nobody reads any more, or the engine is away: reading the stream tells the same.
  }
}

function parseLine({ stream, line }: StreamLine): TaskLine[] {
  const match = /^(\S+) (\S*) ?(.*)$/s.exec(line);
  const task = match && TASK_ID.exec(match[2])?.[1];
  return match && task ? [{ stream, time: match[1], task, line: match[3] }] : [];
}

function toLogLine({ stream, line, time, task }: TaskLine, service: string): LogLine {
  return { time: new Date(time).toISOString(), service, instance: task, stream, line };
}

function keyOf({ stream, line, time, task }: TaskLine): string {
  return `${time} ${task} ${stream} ${line}`;
}

function isBefore(line: TaskLine, milliseconds: number): boolean {
  return Date.parse(line.time) < milliseconds;
}
