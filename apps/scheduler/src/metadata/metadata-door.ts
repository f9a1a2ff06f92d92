import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { LOGGER, type Logger } from '@berth/runtime';
import { WAY_IN, type WayIn } from '../engine/way-in.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { METADATA_SOCKET } from '../ingress/metadata-server.js';
import { Rounds } from '../upkeep/rounds.js';
import { MetadataRequests } from './metadata-requests.js';

/** How soon another scheduler notices that the one that served is gone. */
const LOOK_MS = 500;

/**
 * The socket where Caddy passes on what instances ask. Of the schedulers that share the folder, one serves; each looks
 * whether one does, and takes the name over when nobody answers there. Taking it over is a rename, so there is always
 * either the old socket or the new one.
 */
@Injectable()
export class MetadataDoor implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly rounds = new Rounds(LOOK_MS, () => this.round());
  private server: Server | null = null;

  constructor(
    @Inject(WAY_IN) private readonly wayIn: WayIn | null,
    @Inject(SCHEDULER_ENV) private readonly env: Pick<SchedulerEnv, 'BERTH_INGRESS_FOLDER'>,
    private readonly requests: MetadataRequests,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    if (this.wayIn) this.rounds.start();
  }

  /** The socket's file stays, and nobody answers there: so the next one knows. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.rounds.stop();
    const { server } = this;
    if (!server) return;
    server.close();
    server.closeIdleConnections();
    if (server.listening) await once(server, 'close');
  }

  private async round(): Promise<void> {
    try {
      if (!(await this.isServed())) await this.takeOver();
    } catch (error) {
      this.logger.warn({ err: error }, 'metadata.not-served');
    }
  }

  private isServed(): Promise<boolean> {
    return new Promise((resolve) => {
      const probe = connect(this.path(METADATA_SOCKET));
      const tell = (served: boolean) => (): void => {
        probe.destroy();
        resolve(served);
      };
      probe.once('connect', tell(true)).once('error', tell(false));
    });
  }

  private async takeOver(): Promise<void> {
    mkdirSync(this.env.BERTH_INGRESS_FOLDER, { recursive: true, mode: 0o700 });
    const server = createServer(
      { maxHeaderSize: 16_384, requestTimeout: 10_000, headersTimeout: 5_000 },
      (request, response) => this.requests.handle(request, response),
    );
    const fresh = this.path(`md-${randomBytes(4).toString('hex')}`);
    server.listen(fresh);
    await once(server, 'listening');
    renameSync(fresh, this.path(METADATA_SOCKET));
    // Whoever is still connected to a former one is served to the end.
    this.server?.close();
    this.server = server;
    this.logger.info('metadata.served');
  }

  private path(name: string): string {
    return join(this.env.BERTH_INGRESS_FOLDER, name);
  }
}
