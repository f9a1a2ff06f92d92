import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Decision, DecisionRequest } from '@berth/contracts';
import { LOGGER, type Logger } from '@berth/runtime';

const FLUSH_MS = 500;
const BATCH = 500;
const MOST_WAITING = 20_000;
const MOST_WAITING_CHARACTERS = 64 * 1024 * 1024;

interface Row {
  id: string;
  time: string;
  request: DecisionRequest;
  resource: string;
  context: string;
  decision: Decision;
  policies: string;
  advice: string;
  correlationId: string;
}

const INSERT = `
  INSERT INTO decisions (id, time, action, hook, principal, token_id, resource, context, allowed, policies, advice, revision, correlation_id)
  SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::jsonb[],
    $8::jsonb[], $9::boolean[], $10::jsonb[], $11::jsonb[], $12::integer[], $13::text[])
  ON CONFLICT (id) DO NOTHING`;

/** JSON that PostgreSQL takes: its `jsonb` knows no U+0000 and no half of a surrogate pair. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  // Both come out escaped; nearly always there is none.
  if (!/\\u(0000|d[89a-f])/.test(json)) return json;
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'string' ? Buffer.from(member).toString().replaceAll('\0', '\uFFFD') : member,
  );
}

/** Keeps decisions for a moment, and writes them in batches: the answer does not wait for it. */
@Injectable()
export class DecisionLog implements OnApplicationShutdown {
  private waiting: Row[] = [];
  private characters = 0;
  private timer: NodeJS.Timeout | null = null;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Whether there is room: without it nothing is decided, as no decision may go unkept. */
  get hasRoom(): boolean {
    return this.waiting.length < MOST_WAITING && this.characters < MOST_WAITING_CHARACTERS;
  }

  add(request: DecisionRequest, decision: Decision, correlationId: string): void {
    const row: Row = {
      id: decision.id,
      time: new Date().toISOString(),
      request,
      resource: storableJson(request.resource),
      context: storableJson(request.context),
      decision,
      policies: storableJson(decision.policies),
      advice: storableJson(decision.advice),
      correlationId,
    };
    this.waiting.push(row);
    this.characters += sizeOf(row);
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }

  /** By now nothing is answered any more, and the database is still there. */
  async onApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  /** Writes what waits. What cannot be written goes on waiting, for the next time. */
  flush(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, BATCH);
      try {
        await this.insert(batch);
      } catch (error) {
        this.logger.warn({ err: error, decisions: this.waiting.length }, 'decisions.wait');
        this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS * 2);
        return;
      }
      this.waiting.splice(0, batch.length);
      for (const row of batch) this.characters -= sizeOf(row);
    }
  }

  private async insert(rows: readonly Row[]): Promise<void> {
    await this.dataSource.query(INSERT, [
      rows.map(({ id }) => id),
      rows.map(({ time }) => time),
      rows.map(({ request }) => request.action),
      rows.map(({ request }) => request.hook),
      rows.map(({ request }) => request.principal.user.replaceAll('\0', '\uFFFD')),
      rows.map(({ request }) => request.principal.tokenId),
      rows.map(({ resource }) => resource),
      rows.map(({ context }) => context),
      rows.map(({ decision }) => decision.allowed),
      rows.map(({ policies }) => policies),
      rows.map(({ advice }) => advice),
      rows.map(({ decision }) => decision.revision),
      rows.map(({ correlationId }) => correlationId),
    ]);
  }
}

function sizeOf({ resource, context, policies, advice }: Row): number {
  return resource.length + context.length + policies.length + advice.length;
}
