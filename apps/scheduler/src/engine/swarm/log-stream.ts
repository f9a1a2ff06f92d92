import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { LogLine } from '@berth/contracts';
import type { EnvironmentRef, LogRequest } from '../container-engine.js';
import { BoundedQueue } from './bounded-queue.js';
import { orUndefined } from './docker-client.js';
import type { SwarmService } from './engine-api.js';
import { LABEL } from './labels.js';
import { ALL_OUTPUT, followService } from './log-follow.js';
import { asLineTime, byTime, ReadMarks, readLines, toLogLine, type TaskLine } from './log-lines.js';
import type { SwarmObjects } from './swarm-objects.js';

/** Lines of the past and of the follow-up overlap by this much, so that none is lost between the two calls. */
const OVERLAP_MS = 2_000;
/** How often new Swarm services are looked for: a rollout makes one for each new make of a service. */
const LOOK_MS = 500;
/** An environment that has had no service for so many looks is gone. */
const LOOKS_UNTIL_GONE = 4;
const LINES_AHEAD = 200;

interface Past {
  service: SwarmService;
  lines: TaskLine[];
}

/**
 * The output of all instances of services: first what there is, in order of time, then, when asked to follow, what comes,
 * through rollouts, until the signal is aborted or the services are gone.
 */
export async function* streamLogs(
  docker: Docker,
  objects: SwarmObjects,
  target: EnvironmentRef,
  request: LogRequest,
): AsyncIterable<LogLine> {
  const begun = new Date();
  const find = (): Promise<SwarmService[]> => findServices(objects, target, request.services);
  const present = await find();
  const past = await Promise.all(
    present.map(async (service) => ({ service, lines: await readPast(docker, service.ID, request) })),
  );
  yield* inOrder(past, request.tail);
  if (!request.follow || present.length === 0) return;
  // A reader may just stop reading.
  const left = new AbortController();
  const signal = AbortSignal.any([request.signal, left.signal]);
  const queue = new BoundedQueue<LogLine>(LINES_AHEAD);
  signal.addEventListener('abort', () => queue.end(), { once: true });
  if (signal.aborted) queue.end();
  void new Following({ docker, request, begun, past, queue, signal, find }).run();
  try {
    yield* queue.read();
  } finally {
    left.abort();
  }
}

async function findServices(
  objects: SwarmObjects,
  target: EnvironmentRef,
  names: LogRequest['services'],
): Promise<SwarmService[]> {
  const found = await objects.services(objects.labelsOf(target));
  return found.filter((service) => names === null || names.includes(nameOf(service)));
}

function nameOf({ Spec: { Labels: labels } }: SwarmService): string {
  return labels[LABEL.service];
}

async function readPast(docker: Docker, id: string, { tail, since }: LogRequest): Promise<TaskLine[]> {
  if (tail === 0) return [];
  const output = await orUndefined(
    () =>
      docker.getService(id).logs({
        ...ALL_OUTPUT,
        follow: false,
        ...(tail === null ? {} : { tail }),
        ...(since ? { since: Math.floor(since.getTime() / 1_000) } : {}),
      }) as unknown as Promise<Buffer>,
  );
  const from = since ? asLineTime(since) : '';
  const lines = readLines(Buffer.isBuffer(output) ? output : Buffer.from(output ?? ''));
  return lines.filter(({ time }) => time >= from).sort(byTime);
}

/** The last lines of each service, however many Swarm services it has, all in order of time. */
function inOrder(past: readonly Past[], tail: number | null): LogLine[] {
  const byName = new Map<string, TaskLine[]>();
  for (const { service, lines } of past)
    byName.set(nameOf(service), [...(byName.get(nameOf(service)) ?? []), ...lines]);
  return [...byName]
    .flatMap(([name, lines]) => {
      const ordered = lines.sort(byTime);
      const last = tail === null ? ordered : tail === 0 ? [] : ordered.slice(-tail);
      return last.map((line) => ({ ...line, service: name }));
    })
    .sort(byTime)
    .map((line) => toLogLine(line, line.service));
}

interface FollowingParts {
  docker: Docker;
  request: LogRequest;
  begun: Date;
  past: readonly Past[];
  queue: BoundedQueue<LogLine>;
  signal: AbortSignal;
  find: () => Promise<SwarmService[]>;
}

/** A reader of each Swarm service that there is and of each that comes, all into one queue. */
class Following {
  private readonly known = new Set<string>();
  private open = 0;

  constructor(private readonly parts: FollowingParts) {}

  async run(): Promise<void> {
    const { queue, signal, find } = this.parts;
    try {
      for (let empty = 0; empty < LOOKS_UNTIL_GONE && !signal.aborted;) {
        const present = await find();
        for (const service of present) this.attach(service);
        empty = present.length === 0 && this.open === 0 ? empty + 1 : 0;
        await delay(LOOK_MS, undefined, { signal });
      }
      queue.end();
    } catch (error) {
      queue.end(signal.aborted ? null : error);
    }
  }

  private attach(service: SwarmService): void {
    if (this.known.has(service.ID)) return;
    this.known.add(service.ID);
    this.open += 1;
    void this.read(service)
      .catch((error: unknown) => this.parts.queue.end(this.parts.signal.aborted ? null : error))
      .finally(() => (this.open -= 1));
  }

  private async read(service: SwarmService): Promise<void> {
    const { docker, queue, signal, request } = this.parts;
    const name = nameOf(service);
    await request.admit?.(name);
    const { since, marks } = this.startOf(service.ID);
    for await (const line of followService(docker, service.ID, since, signal))
      if (marks.isNew(line)) await queue.put(toLogLine(line, name));
  }

  /** Where reading goes on. Of a service that was not there before, everything is new. */
  private startOf(id: string): { since: Date; marks: ReadMarks } {
    const { past, begun, request } = this.parts;
    const known = past.find(({ service }) => service.ID === id);
    const last = known?.lines.at(-1);
    const from = request.tail === 0 && known ? begun : request.since;
    const overlap = Math.min(last ? Date.parse(last.time) : Infinity, begun.getTime()) - OVERLAP_MS;
    return {
      since: new Date(overlap),
      marks: ReadMarks.ofPast(known?.lines ?? [], request.tail ?? Infinity, from ? asLineTime(from) : ''),
    };
  }
}
