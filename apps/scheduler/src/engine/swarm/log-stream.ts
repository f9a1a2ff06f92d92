import type { Readable } from 'node:stream';
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
  const [service] = await objects.services(labels);
  if (!service) return;
  const begun = Date.now();
  const past = await readPast(docker, service.ID, request);
  for (const line of past) yield toLogLine(line, request.service);
  if (!request.follow) return;
  const seen = new Set(past.map(keyOf));
  const last = past.at(-1)?.time;
  const since = new Date((last ? Date.parse(last) : begun) - OVERLAP_MS);
  for await (const line of follow(docker, service.ID, since, request.signal)) {
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
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
    .slice(-tail);
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
