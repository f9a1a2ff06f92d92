import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { dockerEnvironment, inheritedEnvironment } from '@berth/host';

export interface Asked {
  /** Of a service in the network. */
  name: string;
  port: number;
}

/** Something in a network that asks for a service by its name, all the time: as near as a client can be. */
export class Asker {
  private readonly answers = new Map<string, number>();
  private complaints = '';
  private wake: () => void = () => undefined;

  private constructor(private readonly probe: ChildProcess) {}

  /** `image`: with a busybox. Resolves when it asks. */
  static async start(
    dockerHost: string,
    network: string,
    image: string,
    { name, port }: Asked,
  ): Promise<Asker> {
    // The machine's own node, on the machine's own files: the image has none.
    // And no name server outside: the engine would ask it for the service that is not there yet, and wait.
    const options = ['--network', network, '--dns', '127.0.0.1', '--volume', '/:/host:ro'];
    const run = ['run', '--rm', '-i', '--user', '0:0', ...options, image];
    const script = [process.execPath, join(__dirname, 'name-probe.js'), name, String(port)];
    const probe = spawn('docker', [...run, 'busybox', 'chroot', '/host', ...script], {
      env: { ...inheritedEnvironment(), ...dockerEnvironment(dockerHost) },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const asker = new Asker(probe);
    await asker.listen();
    return asker;
  }

  /** When this answer first came, in milliseconds since the epoch; waits until it does. */
  async answered(answer: string): Promise<number> {
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

  async stop(): Promise<void> {
    this.probe.stdin?.end();
    if (this.probe.exitCode === null) await once(this.probe, 'exit');
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
}
