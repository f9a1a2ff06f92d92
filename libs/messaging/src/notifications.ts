import pg from 'pg';
import type { DataSource } from 'typeorm';

const CONNECT_MS = 5_000;

/**
 * Hears `NOTIFY <channel>_<schema>` on a connection of its own. What is sent while there is none is missed: whoever needs
 * it must also go rounds.
 */
export class Notifications {
  private client: pg.Client | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly channel: string,
    private readonly heard: (payload: string) => void,
  ) {}

  get listening(): boolean {
    return this.client !== null;
  }

  /** Listens, if it does not yet. */
  async listen(): Promise<void> {
    if (this.client) return;
    const { url } = this.dataSource.options as { url?: string };
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
    });
    client.on('notification', ({ payload }) => this.heard(payload ?? ''));
    const forget = (): void => {
      if (this.client === client) this.client = null;
    };
    client.on('error', forget);
    client.on('end', forget);
    try {
      await client.connect();
      const { rows } = await client.query<{ schema: string }>('SELECT current_schema() AS schema');
      await client.query(`LISTEN ${pg.escapeIdentifier(`${this.channel}_${rows[0].schema}`)}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.client = client;
  }

  async end(): Promise<void> {
    const { client } = this;
    this.client = null;
    await client?.end().catch(() => undefined);
  }
}
