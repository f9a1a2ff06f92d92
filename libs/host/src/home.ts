import { chmodSync, mkdirSync, writeFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { processStartTime } from './process.js';

/** The places of an installation under its state folder. */
export class Home {
  readonly secrets: string;
  readonly postgres: string;
  readonly nats: string;
  readonly engine: string;
  readonly registryStore: string;
  readonly packages: string;
  /** Backups of resources, encrypted. */
  readonly backups: string;
  /** Sockets, saved configuration and access log of the way in. */
  readonly ingress: string;
  /** The certificate of its own CA, which Caddy makes. */
  readonly ingressAuthority: string;
  /** How many instances of each guest ran when the platform was stopped. */
  readonly stoppedWorkloads: string;
  private readonly lock: string;

  constructor(readonly folder: string) {
    this.secrets = join(folder, 'secrets.json');
    this.postgres = join(folder, 'postgres');
    this.nats = join(folder, 'nats');
    this.engine = join(folder, 'engine');
    this.registryStore = join(folder, 'registry');
    this.packages = join(folder, 'packages');
    this.backups = join(folder, 'backups');
    this.ingress = join(folder, 'ingress');
    this.ingressAuthority = join(this.ingress, 'data/caddy/pki/authorities/local/root.crt');
    this.stoppedWorkloads = join(folder, 'stopped-workloads.json');
    this.lock = join(folder, 'lock');
  }

  logFile(name: string): string {
    return join(this.folder, 'log', `${name}.log`);
  }

  pidFile(name: string): string {
    return join(this.folder, 'run', `${name}.pid`);
  }

  /** Makes the folder. Others may pass through it to what they own (Postgres runs as another user), not list it. */
  prepare(): void {
    mkdirSync(this.folder, { recursive: true });
    chmodSync(this.folder, 0o711);
    for (const name of ['log', 'run', 'registry'])
      mkdirSync(join(this.folder, name), { recursive: true, mode: 0o700 });
  }

  /** Runs one change of this installation at a time. Throws when another one is at it. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.takeLock();
    try {
      return await work();
    } finally {
      rmSync(this.lock, { force: true });
    }
  }

  private takeLock(): void {
    const owner = `${process.pid} ${processStartTime(process.pid)}`;
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        writeFileSync(this.lock, owner, { flag: 'wx', mode: 0o600 });
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const [pid, startTime] = readFileSync(this.lock, 'utf8').split(' ');
      if (processStartTime(Number(pid)) === startTime) {
        throw new Error(
          `Another berth command (process ${pid}) is changing ${this.folder}. Wait for it to end.`,
        );
      }
      // Its owner is gone: it was killed before it could let go.
      rmSync(this.lock, { force: true });
    }
  }
}
