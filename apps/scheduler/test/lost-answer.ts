import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A simple query, as the client sends it: kind, length, text. */
const COMMIT = Buffer.from('Q\0\0\0\x0bCOMMIT\0', 'latin1');

/**
 * Stands between a service and Postgres, and breaks the connection when a transaction has been committed, before the service
 * is told: the one that `armed` next sees a word of in what is sent.
 */
export class LostAnswer {
  private word: string | null = null;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    /** Of the database, by way of here. */
    readonly url: string,
  ) {}

  static async before(databaseUrl: string): Promise<LostAnswer> {
    const { hostname, port } = new URL(databaseUrl);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(databaseUrl);
    url.hostname = '127.0.0.1';
    url.port = String((server.address() as AddressInfo).port);
    const between = new LostAnswer(server, url.toString());
    server.on('connection', (client) => between.lead(client, connect(Number(port) || 5432, hostname)));
    return between;
  }

  /** Of the next transaction in which this is sent, the answer to its commit is lost. */
  lose(word: string): void {
    this.word = word;
  }

  get happened(): boolean {
    return this.word === null;
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private lead(client: Socket, postgres: Socket): void {
    let seen = false;
    let lost = false;
    for (const socket of [client, postgres]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        postgres.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      if (this.word !== null && chunk.includes(this.word)) seen = true;
      if (seen && chunk.includes(COMMIT)) {
        lost = true;
        this.word = null;
      }
      postgres.write(chunk);
    });
    postgres.on('data', (chunk: Buffer) => {
      if (lost) client.destroy();
      else client.write(chunk);
    });
  }
}
