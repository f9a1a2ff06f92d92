import { createServer, type Server, type Socket } from 'node:net';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { once } from 'node:events';
import type { BeforeApplicationShutdown } from '@nestjs/common';

export interface MirrorSettings {
  port: number;
  host: string;
  /** Whose images its names are. */
  upstream: string;
}

/**
 * A second port, at which the registry is a mirror of one upstream: a name without a host is that upstream's there. For engines that know no other way of
 * asking a mirror (dockerd's `registry-mirrors`), where containerd says `?ns=`.
 */
export class MirrorDoor implements BeforeApplicationShutdown {
  private readonly through = new WeakSet<Socket>();
  private server: Server | null = null;

  constructor(private readonly settings: MirrorSettings | null) {}

  /** Opens it, where it is wanted: all that comes in is the HTTP server's, as what comes to its own port. */
  async open(http: HttpServer): Promise<void> {
    if (this.settings === null) return;
    const { port, host } = this.settings;
    this.server = createServer((socket) => {
      this.through.add(socket);
      http.emit('connection', socket);
    });
    this.server.listen(port, host);
    await once(this.server, 'listening');
  }

  /** The upstream that a request takes this registry for; null at the other port. */
  upstreamOf({ socket }: IncomingMessage): string | null {
    return this.settings !== null && this.through.has(socket) ? this.settings.upstream : null;
  }

  /** Nothing new comes in; connections end with those of the HTTP server. */
  beforeApplicationShutdown(): void {
    this.server?.close();
  }
}
