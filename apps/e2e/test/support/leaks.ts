import { createDecipheriv } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSecrets, Home, superuserUrl, withClient } from '@berth/host';
import { type ApiAnswer, ApiClient, type TestPlatform } from '@berth/testing';

/** Texts that tell a marker: as it is, in hex, and in base64 wherever in a longer value it stands. */
export function formsOf(marker: string): string[] {
  const hex = Buffer.from(marker).toString('hex');
  const aligned = [0, 1, 2].map((offset) => {
    const text = Buffer.from(`${'x'.repeat(offset)}${marker}`).toString('base64');
    // Digits at both ends depend on the bytes beside it.
    return text.slice(offset === 0 ? 0 : 4, -4);
  });
  return [marker, hex, hex.toUpperCase(), ...aligned];
}

/** Files below a folder that hold one of these texts: logs, streams and key-value buckets, tables and their journal. */
export function filesWith(folder: string, forms: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      const content = readFileSync(path);
      return forms.some((form) => content.includes(form));
    });
}

/** Tables that hold one of these texts in any column of any row, and how many tables there are. */
export async function tablesWith(
  platform: TestPlatform,
  forms: readonly string[],
): Promise<{ found: string[]; searched: number }> {
  return withClient(databaseUrl(platform), async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    const found: string[] = [];
    for (const { name } of rows) {
      const condition = forms.map((_, index) => `strpos(t::text, $${index + 1}) > 0`).join(' OR ');
      const hits = await client.query(`SELECT FROM ${name} AS t WHERE ${condition}`, [...forms]);
      if (hits.rowCount) found.push(name);
    }
    return { found, searched: rows.length };
  });
}

/** A stored value, decrypted as docs/guide/secrets.md says, with the key of the installation and nothing of the scheduler. */
export async function decrypted(platform: TestPlatform, name: string): Promise<string> {
  const key = Buffer.from(readSecrets(new Home(platform.home))?.secretsKey ?? '', 'base64');
  return withClient(databaseUrl(platform), async (client) => {
    const { rows } = await client.query<Record<string, Buffer> & { version: number; key_id: string }>(
      'SELECT * FROM scheduler.secrets WHERE name = $1 ORDER BY version DESC LIMIT 1',
      [name],
    );
    const { environment_id: environment, version, key_id, wrapped_key, nonce, ciphertext } = rows[0];
    const place = [environment, name, version];
    const dataKey = unseal(
      key,
      [`key ${key_id}`, ...place],
      wrapped_key.subarray(0, 12),
      wrapped_key.subarray(12),
    );
    return unseal(dataKey, ['value', ...place], nonce, ciphertext).toString();
  });
}

function unseal(key: Buffer, context: unknown[], nonce: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
    .setAAD(Buffer.from(JSON.stringify(context)))
    .setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

function databaseUrl({ home }: TestPlatform): string {
  const secrets = readSecrets(new Home(home));
  if (!secrets?.ports.postgres) throw new Error(`no Postgres was started from ${home}`);
  return superuserUrl(
    { port: secrets.ports.postgres, superuserPassword: secrets.postgres.superuser },
    'berth',
  );
}

/** A client of the gateway that notes all that it is answered. */
export class ListeningClient extends ApiClient {
  constructor(
    url: string,
    token: string | undefined,
    private readonly heard: string[],
  ) {
    super(url, token);
  }

  override as(token?: string): ListeningClient {
    return new ListeningClient(this.url, token, this.heard);
  }

  override async request<T>(
    ...request: [method: string, path: string, what?: { body?: unknown; headers?: Record<string, string> }]
  ): Promise<ApiAnswer<T>> {
    const answer = await super.request<T>(...request);
    this.heard.push(JSON.stringify([[...answer.headers], answer.body]));
    return answer;
  }
}
