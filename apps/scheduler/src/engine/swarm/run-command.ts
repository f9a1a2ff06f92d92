import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { BerthError } from '@berth/contracts';
import type { CommandOutcome, EnvironmentRef, ServiceCommand } from '../container-engine.js';
import { nowhere } from '../../nowhere.js';
import { FrameReader } from './demultiplex.js';
import { callEngine, hasStatus, orUndefined } from './docker-client.js';
import { instanceEnded } from './instance-ended.js';
import { LABEL, labelFilter } from './labels.js';
import type { SwarmObjects } from './swarm-objects.js';

/** Of what is written to stderr, this much of its end is kept. */
const ERRORS_KEPT = 4_096;
const POLL_MS = 100;

/** Runs a script by the shell of an instance, as the user that the instance runs as. */
export async function runCommand(
  docker: Docker,
  objects: SwarmObjects,
  target: EnvironmentRef,
  { service, script, environment, input, output, signal }: ServiceCommand,
): Promise<CommandOutcome> {
  const container = await newestContainer(docker, objects, target, service);
  const exec = await entering(service, () =>
    container.exec({
      Cmd: ['/bin/sh', '-c', script],
      Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      ...{ AttachStdin: input !== undefined, AttachStdout: true, AttachStderr: true },
    }),
  );
  const stream = await entering(service, () => exec.start({ hijack: true, stdin: input !== undefined }));
  const abort = (): void => void stream.destroy(signal?.reason as Error);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const errors = new Tail();
    // Whoever ends early does not read what is left: that shows in its exit code.
    if (input) void pipeline(input, stream).catch(() => undefined);
    await pipeline(Readable.from(standardOutput(stream, errors)), output ?? nowhere());
    signal?.throwIfAborted();
    // With its container goes all that was run in it.
    const exitCode = (await orUndefined(() => exec.inspect()))?.ExitCode ?? null;
    if (exitCode === null || (await instanceEnded(container, exitCode, signal))) throw ended(service);
    return { exitCode, errors: errors.text };
  } finally {
    signal?.removeEventListener('abort', abort);
    stream.destroy();
  }
}

/** Ends the instances of a service on this machine, and waits for those that the engine starts in their place. */
export async function renewInstances(
  docker: Docker,
  objects: SwarmObjects,
  target: EnvironmentRef,
  service: string,
  { deadline, signal }: { deadline: Date; signal: AbortSignal },
): Promise<void> {
  const old = await runningContainers(docker, objects, target, service);
  await Promise.all(
    old.map(({ Id: id }) => orUndefined(() => docker.getContainer(id).stop()).catch(ignoreStopped)),
  );
  const before = new Set(old.map(({ Id: id }) => id));
  while (Date.now() < deadline.getTime()) {
    const present = await runningContainers(docker, objects, target, service);
    // The engine's words for a person: "Up 3 seconds (healthy)", "(health: starting)".
    if (present.some(({ Id: id, Status: status }) => !before.has(id) && !/starting|unhealthy/.test(status)))
      return;
    await delay(POLL_MS, undefined, { signal });
  }
  throw new BerthError('CONFLICT', `"${service}" did not come up again.`);
}

function ignoreStopped(error: unknown): void {
  if (!hasStatus(error, 304)) throw error;
}

async function entering<T>(service: string, call: () => Promise<T>): Promise<T> {
  try {
    return await callEngine(call);
  } catch (error) {
    if (hasStatus(error, 404) || hasStatus(error, 409)) throw notRunning(service, error);
    throw error;
  }
}

function ended(service: string): BerthError {
  return new BerthError('INSTANCE_ENDED', `An instance of "${service}" ended while a command ran in it.`);
}

function notRunning(service: string, cause?: unknown): BerthError {
  const detail = `No instance of "${service}" runs on this machine, so no command can be run in it.`;
  return new BerthError('CONFLICT', detail, {}, { cause });
}

async function newestContainer(
  docker: Docker,
  objects: SwarmObjects,
  target: EnvironmentRef,
  service: string,
): Promise<Docker.Container> {
  const running = await runningContainers(docker, objects, target, service);
  const [newest] = running.sort((a, b) => b.Created - a.Created);
  if (!newest) throw notRunning(service);
  return docker.getContainer(newest.Id);
}

async function runningContainers(
  docker: Docker,
  objects: SwarmObjects,
  target: EnvironmentRef,
  service: string,
): Promise<Docker.ContainerInfo[]> {
  const labels = { ...objects.labelsOf(target), [LABEL.service]: service };
  const filters = { ...labelFilter(labels), status: ['running'] };
  return callEngine(() => docker.listContainers({ filters }));
}

/** Takes the two outputs apart as they come, as fast as stdout is read. */
async function* standardOutput(stream: NodeJS.ReadableStream, errors: Tail): AsyncGenerator<Buffer> {
  const frames = new FrameReader();
  for await (const chunk of stream) {
    for (const { stream: kind, payload } of frames.push(chunk as Buffer)) {
      if (kind === 'stderr') errors.add(payload);
      else yield payload;
    }
  }
}

/** Keeps the end of what is added to it. */
class Tail {
  private kept = Buffer.alloc(0);

  add(chunk: Buffer): void {
    this.kept = Buffer.concat([this.kept, chunk]).subarray(-ERRORS_KEPT);
  }

  get text(): string {
    return this.kept.toString('utf8').trim();
  }
}
