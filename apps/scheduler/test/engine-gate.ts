import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A way to the real engine that can be shut: to whoever comes through it, the engine is then away. */
export class EngineGate {
  private readonly sockets = new Set<Socket>();
  private server: Server | null = null;
  private port = 0;

  constructor(private readonly dockerHost: string) {}

  /** As DOCKER_HOST. */
  get address(): string {
    return `tcp://127.0.0.1:${this.port}`;
  }

  async open(): Promise<void> {
    this.server = createServer((client) => this.pass(client));
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Ends what is open and refuses what comes. */
  async shut(): Promise<void> {
    const closed = this.server && once(this.server, 'close');
    this.server?.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
    this.server = null;
  }

  private pass(client: Socket): void {
    const engine = this.dockerHost.startsWith('unix://')
      ? connect(this.dockerHost.slice('unix://'.length))
      : connect(Number(new URL(this.dockerHost).port), new URL(this.dockerHost).hostname);
    for (const [socket, other] of [
      [client, engine],
      [engine, client],
    ]) {
      this.sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
