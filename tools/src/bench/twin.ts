import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { dockerEnvironment, inheritedEnvironment } from '@berth/host';
import { engineRequest } from './engine-api.js';

export interface EngineSpec {
  Name: string;
  Labels: Record<string, string>;
  TaskTemplate: { ContainerSpec: { Image: string; Env: string[]; Labels: Record<string, string> } };
}

/**
 * A service by the engine's own API, of the spec that Berth makes, in a network of its own that is there beforehand. It is
 * asked by name from a container in that network: as near as a client can be.
 */
export class Twin {
  private readonly answers = new Map<string, number>();
  private complaints = '';
  private wake: () => void = () => undefined;
  private id = '';

  private constructor(
    private readonly dockerHost: string,
    private readonly spec: EngineSpec,
    private readonly networkId: string,
    private readonly probe: ChildProcess,
  ) {}

  static async prepare(dockerHost: string, like: EngineSpec, name: string, image: string): Promise<Twin> {
    const network = await engineRequest<{ Id: string }>(dockerHost, 'POST', '/networks/create', {
      ...{ Name: name, Driver: 'overlay', Attachable: true, CheckDuplicate: true },
    });
    const { ContainerSpec: container } = like.TaskTemplate;
    const spec = {
      ...like,
      Name: name,
      // Without labels: a twin is nobody's guest, and the scheduler leaves it alone.
      Labels: {},
      TaskTemplate: {
        ...like.TaskTemplate,
        ContainerSpec: { ...container, Labels: {} },
        Networks: [{ Target: network.Id, Aliases: ['web'] }],
      },
    };
    // The machine's own node, on the machine's own files: the image has none.
    // And no name server outside: the engine would ask it for the service that is not there yet, and wait.
    const options = ['--network', name, '--dns', '127.0.0.1', '--volume', '/:/host:ro'];
    const run = ['run', '--rm', '-i', '--user', '0:0', ...options, image];
    const script = [process.execPath, join(__dirname, 'name-probe.js'), 'web', '8080'];
    const probe = spawn('docker', [...run, 'busybox', 'chroot', '/host', ...script], {
      env: { ...inheritedEnvironment(), ...dockerEnvironment(dockerHost) },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const twin = new Twin(dockerHost, spec, network.Id, probe);
    await twin.listen();
    return twin;
  }

  /** From asking for it to its first answer, in milliseconds. */
  async create(answer: string): Promise<number> {
    const started = Date.now();
    const spec = this.answering(answer);
    ({ ID: this.id } = await engineRequest<{ ID: string }>(
      ...([this.dockerHost, 'POST', '/services/create', spec] as const),
    ));
    return (await this.answered(answer)) - started;
  }

  /** From asking for the update to the first answer of the new instance. */
  async update(answer: string): Promise<number> {
    const { Version } = await engineRequest<{ Version: { Index: number } }>(
      ...([this.dockerHost, 'GET', `/services/${this.id}`] as const),
    );
    const started = Date.now();
    const path = `/services/${this.id}/update?version=${Version.Index}`;
    await engineRequest(this.dockerHost, 'POST', path, this.answering(answer));
    return (await this.answered(answer)) - started;
  }

  async remove(): Promise<void> {
    if (this.id) await engineRequest(this.dockerHost, 'DELETE', `/services/${this.id}`);
    this.probe.stdin?.end();
    if (this.probe.exitCode === null) await once(this.probe, 'exit');
    await this.removeNetwork();
  }

  /** The engine refuses while it still takes the last container's end off the network. */
  private async removeNetwork(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await engineRequest(this.dockerHost, 'DELETE', `/networks/${this.networkId}`);
      } catch (error) {
        if (tries === 200) throw error;
        await delay(100);
      }
    }
  }

  private answering(answer: string): EngineSpec {
    const { ContainerSpec: container } = this.spec.TaskTemplate;
    const Env = [...container.Env.filter((pair) => !pair.startsWith('ANSWER=')), `ANSWER=${answer}`];
    return {
      ...this.spec,
      TaskTemplate: { ...this.spec.TaskTemplate, ContainerSpec: { ...container, Env } },
    };
  }

  private async listen(): Promise<void> {
    if (!this.probe.stdout) throw new Error('the probe has no output');
    this.probe.stderr?.on('data', (chunk: Buffer) => (this.complaints += chunk.toString()));
    createInterface({ input: this.probe.stdout }).on('line', (line) => {
      const [time, answer] = line.split(' ');
      this.answers.set(answer ?? time, Number(time));
      this.wake();
    });
    await this.answered('ready');
  }

  private async answered(answer: string): Promise<number> {
    for (;;) {
      const at = this.answers.get(answer);
      if (at !== undefined) return at;
      if (this.probe.exitCode !== null)
        throw new Error(`the probe ended with ${this.probe.exitCode}: ${this.complaints}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        this.probe.once('exit', () => resolve());
      });
    }
  }
}
