import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client } from 'pg';
import { createTestDatabase, makeBucket, objectStorage, testNats, type TestDatabase } from '@berth/testing';
import { createService } from '@berth/runtime';
import { registryProxyService } from '../src/app.module.js';
import { RegistryEnv } from '../src/env.js';

const REGISTRY_KEY = randomBytes(32).toString('base64');

/** `STORE=objects ./berth test apps/registry-proxy` for all of it on an object storage; specs that look at files are none for that. */
const STORE = process.env.STORE ?? 'files';

export interface RegistryOptions {
  /** Where its blobs are. */
  store?: 'files' | 'objects';
  /** Whose requests `fetch` makes unless told otherwise. */
  token?: string;
  upstreams?: Record<string, { url: string; username?: string; password?: string; tokenHosts?: string[] }>;
  tagTtlSeconds?: number;
  upstreamTimeoutMs?: number;
  /** `BERTH_REGISTRY`. */
  publicHost?: string;
  /** `REGISTRY_MIRROR_PORT`; all of it listens on all addresses then. */
  mirrorPort?: number;
  /** `REGISTRY_S3_REDIRECT`, in an object storage. */
  redirect?: string;
  /** Another instance on the same database and store. */
  beside?: RegistryUnderTest;
}

/** A registry-proxy in this process, with a database and a store of its own, on a port of its own. */
export class RegistryUnderTest {
  readonly url: string;
  readonly store: string;
  readonly database: TestDatabase;

  private constructor(
    private readonly parts: {
      app: NestFastifyApplication;
      url: string;
      store: string;
      database: TestDatabase;
      token: string;
      owner: boolean;
    },
  ) {
    this.url = parts.url;
    this.store = parts.store;
    this.database = parts.database;
  }

  /** In the folder of its store. Throws where that is an object storage: its name would be a folder of this repository. */
  fileInStore(...path: string[]): string {
    if (this.store.startsWith('s3://')) throw new Error('this store is no folder');
    return join(this.store, ...path);
  }

  static async start(options: RegistryOptions = {}): Promise<RegistryUnderTest> {
    const database = options.beside?.database ?? (await createTestDatabase('registry-proxy'));
    const store = options.beside?.store ?? (await newStore(options.store ?? STORE));
    const app = await createService(
      registryProxyService(RegistryEnv.parse(await environment(database, store, options))),
    );
    const url = (await app.getUrl()).replace('[::1]', '127.0.0.1').replace('0.0.0.0', '127.0.0.1');
    const token = options.token ?? options.beside?.parts.token ?? '';
    return new RegistryUnderTest({ app, url, store, database, token, owner: options.beside === undefined });
  }

  get app(): NestFastifyApplication {
    return this.parts.app;
  }

  get address(): string {
    return new URL(this.url).host;
  }

  /** A request as the holder of a token; `as` null is nobody. */
  fetch(path: string, init: RequestInit & { as?: string | null } = {}): Promise<Response> {
    const { as = this.parts.token, headers, ...rest } = init;
    return fetch(new URL(path, this.url), {
      redirect: 'manual',
      ...rest,
      headers: {
        ...(as === null ? {} : { authorization: `Bearer ${as}` }),
        ...(headers as Record<string, string>),
      },
    });
  }

  async query<T extends object>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    const client = new Client({ connectionString: this.database.url });
    await client.connect();
    try {
      return (await client.query<T>(sql, parameters)).rows;
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    await this.parts.app.close();
    if (!this.parts.owner) return;
    await this.database.drop();
    await removeStore(this.store);
  }
}

/** A new and empty one, as `REGISTRY_STORE`. */
export async function newStore(kind: string): Promise<string> {
  if (kind === 'files') return mkdtemp(join(tmpdir(), 'berth-registry-'));
  const bucket = `registry-${randomUUID()}`;
  await makeBucket(bucket);
  return `s3://${bucket}/registry`;
}

export async function removeStore(store: string): Promise<void> {
  if (!store.startsWith('s3:')) await rm(store, { recursive: true, force: true });
}

async function storeSettings(store: string): Promise<Record<string, string>> {
  if (!store.startsWith('s3:')) return { REGISTRY_STORE: store };
  const { endpoint, region, accessKeyId, secretAccessKey } = await objectStorage();
  return {
    REGISTRY_STORE: store,
    REGISTRY_S3_ENDPOINT: endpoint,
    REGISTRY_S3_REGION: region,
    REGISTRY_S3_ACCESS_KEY_ID: accessKeyId,
    REGISTRY_S3_SECRET_ACCESS_KEY: secretAccessKey,
  };
}

/** What a registry-proxy needs to start, in this process or as one of its own. */
export async function environment(
  database: TestDatabase,
  store: string,
  options: RegistryOptions,
): Promise<Record<string, string>> {
  const { upstreams = {}, tagTtlSeconds = 60, upstreamTimeoutMs = 2_000, redirect = 'off' } = options;
  const { publicHost, mirrorPort } = options;
  const { env } = await testNats('registry-proxy');
  return {
    ...env,
    DATABASE_URL: database.url,
    ...(await storeSettings(store)),
    REGISTRY_S3_REDIRECT: redirect,
    REGISTRY_UPSTREAMS: JSON.stringify(upstreams),
    REGISTRY_KEY: REGISTRY_KEY,
    REGISTRY_TAG_TTL_SECONDS: String(tagTtlSeconds),
    REGISTRY_UPSTREAM_TIMEOUT_MS: String(upstreamTimeoutMs),
    ...(mirrorPort === undefined ? {} : { REGISTRY_MIRROR_PORT: String(mirrorPort), HTTP_HOST: '0.0.0.0' }),
    ...(publicHost === undefined ? {} : { BERTH_REGISTRY: publicHost }),
    LOG_LEVEL: 'fatal',
    HTTP_PORT: '0',
  };
}
