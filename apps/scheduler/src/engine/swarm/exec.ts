import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { BerthError, type TerminalSize } from '@berth/contracts';
import type { EngineExec, EnvironmentRef, ExecRequest, RunningCommand } from '../container-engine.js';
import { chooseInstance, type Here } from './choose-instance.js';
import { FrameReader } from './demultiplex.js';
import { callEngine, hasStatus, orUndefined } from './docker-client.js';
import { instanceEnded } from './instance-ended.js';
import type { Swarm } from './swarm.js';

const POLL_MS = 100;
const LEAVE_MS = 1_000;
/** Interrupt, then end of input, as a terminal has them by default: what a shell or a client of a database ends with. */
const GOODBYE = Buffer.from([0x03, 0x04]);

/** Makes a command ready in an instance of this node. */
export async function prepareExec(
  { docker, objects }: Swarm,
  here: Here,
  target: EnvironmentRef,
  { service, instance, command, terminal }: ExecRequest,
): Promise<EngineExec> {
  const task = chooseInstance(await objects.state(target), { service, instance }, here);
  const container = docker.getContainer(task.Status.ContainerStatus?.ContainerID ?? '');
  const exec = await createExec(container, command, terminal !== null);
  if (!exec) throw ended(task.ID);
  return {
    instance: task.ID,
    start: async () => {
      const options = { hijack: true, stdin: true, Tty: terminal !== null };
      const stream = await unlessEnded(() => exec.start(options) as Promise<Duplex>);
      if (!stream) throw ended(task.ID);
      const running = new SwarmCommand({
        container,
        exec,
        stream,
        instance: task.ID,
        tty: terminal !== null,
      });
      if (terminal) await running.resize(terminal);
      return running;
    },
  };
}

async function createExec(
  container: Docker.Container,
  command: readonly string[],
  tty: boolean,
): Promise<Docker.Exec | undefined> {
  const attached = { AttachStdin: true, AttachStdout: true, AttachStderr: true };
  return unlessEnded(() => container.exec({ Cmd: [...command], Tty: tty, ...attached }));
}

/** Undefined when the container has ended meanwhile. */
async function unlessEnded<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await orUndefined(call);
  } catch (error) {
    if (hasStatus(error, 409)) return undefined;
    throw error;
  }
}

interface Parts {
  container: Docker.Container;
  exec: Docker.Exec;
  stream: Duplex;
  instance: string;
  tty: boolean;
}

class SwarmCommand implements RunningCommand {
  constructor(private readonly parts: Parts) {
    // It ends with the engine or the container: whoever reads the output is told.
    parts.stream.on('error', () => undefined);
  }

  get output(): RunningCommand['output'] {
    return this.read();
  }

  write(data: Buffer): Promise<void> {
    return new Promise((resolve) => this.parts.stream.write(data, () => resolve()));
  }

  endInput(): void {
    this.parts.stream.end();
  }

  async resize({ columns, rows }: TerminalSize): Promise<void> {
    // One that has ended has no terminal any more.
    await callEngine(() => this.parts.exec.resize({ w: columns, h: rows })).catch(() => undefined);
  }

  async exitCode(signal: AbortSignal): Promise<number> {
    const { container, exec, instance } = this.parts;
    for (;;) {
      const found = await orUndefined(() => exec.inspect());
      if (!found) throw ended(instance);
      if (!found.Running && found.ExitCode !== null) {
        if (await instanceEnded(container, found.ExitCode, signal)) throw ended(instance);
        return found.ExitCode;
      }
      await delay(POLL_MS, undefined, { signal });
    }
  }

  leave(): void {
    const { stream, tty } = this.parts;
    if (stream.destroyed) return;
    if (tty) stream.write(GOODBYE);
    stream.end(() => stream.destroy());
    // A command that reads nothing keeps what was typed from being sent.
    setTimeout(() => stream.destroy(), LEAVE_MS).unref();
  }

  private async *read(): RunningCommand['output'] {
    const frames = new FrameReader();
    try {
      for await (const chunk of this.parts.stream as AsyncIterable<Buffer>) {
        if (this.parts.tty) yield { channel: 'stdout', data: chunk };
        else for (const { stream: channel, payload: data } of frames.push(chunk)) yield { channel, data };
      }
    } catch {
      // It broke off. Whether the command, the instance or the engine has ended is asked of the engine next.
    }
  }
}

function ended(instance: string): BerthError {
  return new BerthError(
    'INSTANCE_ENDED',
    `The instance ${instance} ended, and the command with it. A rollout or a restart does that.`,
  );
}
