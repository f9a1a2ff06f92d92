import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { callEngine, orUndefined } from './docker-client.js';
import { Demultiplexer } from './demultiplex.js';
import { parseLine, type TaskLine } from './log-lines.js';

const GONE_POLL_MS = 1_000;
/** A container that was told to end may take its time, and what it says meanwhile belongs to its output. */
const LAST_WORDS_MS = 60_000;
/** From a container's end until its last line has come through the swarm. */
const DELIVERY_MS = 1_000;
const PAUSE_MS = 500;

export const ALL_OUTPUT = { stdout: true, stderr: true, timestamps: true, details: true } as const;

/**
 * What the tasks of one Swarm service write from `since` on (whole seconds), until the signal is aborted, or the service
 * and its containers are gone. Lines may come again when the engine ends the stream for no reason.
 */
export async function* followService(
  docker: Docker,
  id: string,
  since: Date,
  signal: AbortSignal,
): AsyncGenerator<TaskLine> {
  let from = since;
  while (!signal.aborted) {
    const stream = await open(docker, id, from);
    if (!stream) return;
    for await (const line of readUntilGone(docker, id, stream, signal)) {
      from = new Date(line.time);
      yield line;
    }
    if (signal.aborted || !(await isThere(docker, id))) return;
    await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function open(docker: Docker, id: string, since: Date): Promise<Readable | undefined> {
  const options = { ...ALL_OUTPUT, follow: true, since: Math.floor(since.getTime() / 1_000) } as const;
  return (await orUndefined(() => docker.getService(id).logs(options))) as unknown as Readable | undefined;
}

async function isThere(docker: Docker, id: string): Promise<boolean> {
  return (await orUndefined(() => docker.getService(id).inspect())) !== undefined;
}

async function* readUntilGone(
  docker: Docker,
  id: string,
  stream: Readable,
  signal: AbortSignal,
): AsyncGenerator<TaskLine> {
  const stop = (): void => void stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const watch = new AbortController();
  void endWhenGone(docker, id, stream, watch.signal);
  const demultiplexer = new Demultiplexer();
  try {
    for await (const chunk of stream) yield* demultiplexer.push(chunk as Buffer).flatMap(parseLine);
    yield* demultiplexer.end().flatMap(parseLine);
  } catch {
    // The engine ends a stream in one way or another, at times in the middle of a frame. Whether that is the end of the
    // service, or of the engine, is asked of the engine next.
  } finally {
    watch.abort();
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

/** The engine keeps the stream open when the service is long gone. */
async function endWhenGone(docker: Docker, id: string, stream: Readable, signal: AbortSignal): Promise<void> {
  try {
    do await delay(GONE_POLL_MS, undefined, { signal });
    while (await isThere(docker, id));
    const filters = { label: [`com.docker.swarm.service.id=${id}`] };
    for (let waited = 0; waited < LAST_WORDS_MS; waited += GONE_POLL_MS) {
      if ((await callEngine(() => docker.listContainers({ filters }))).length === 0) break;
      await delay(GONE_POLL_MS, undefined, { signal });
    }
    await delay(DELIVERY_MS, undefined, { signal });
    stream.destroy();
  } catch {
    // Nobody reads any more, or the engine is away: reading the stream tells the same.
  }
}
