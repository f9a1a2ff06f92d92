import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { decisionDenied, type Decision, type DecisionRequest, Name } from '@berth/contracts';
import { draftEvent, type EventDraft, Outbox } from '@berth/messaging';
import { LOGGER, type Logger, newRequestContext, runInContext } from '@berth/runtime';
import { DecisionRows } from './decision-rows.js';

const FLUSH_MS = 50;
/** Small enough that writing one holds up no decision that is being taken. */
const BATCH = 100;
const MOST_WAITING = 20_000;
const MOST_WAITING_BYTES = 64 * 1024 * 1024;
/** Of the bytes that were written, what is kept to be written over: as much as usually waits. */
const MOST_SPARE = 16;

const INSERT = `
  INSERT INTO decisions (id, time, action, hook, principal, token_id, resource, context, allowed, policies, advice, revision, correlation_id)
  SELECT id, time, action, hook, principal, token_id, resource, context, allowed, policies, advice, revision, correlation_id
  FROM jsonb_to_recordset($1::jsonb) AS kept (id uuid, time timestamptz, action text, hook text, principal text, token_id uuid,
    resource jsonb, context jsonb, allowed boolean, policies jsonb, advice jsonb, revision integer, correlation_id text)
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

function denialOf(decision: Decision, { action, hook, principal, resource }: DecisionRequest): EventDraft {
  const { id, revision, policies } = decision;
  const { type, id: name, team, project, environment } = resource;
  return draftEvent(
    decisionDenied,
    { team: nameOrNone(team), project: nameOrNone(project), environment: nameOrNone(environment) },
    {
      ...{ decision: id, revision, action, hook, principal: principal.user },
      ...{ resource: { type, id: name }, policies },
    },
  );
}

/** A part of the event's subject: what is no name would be several parts, or none that NATS takes. */
function nameOrNone(text: string | undefined): string | undefined {
  return Name.safeParse(text).success ? text : undefined;
}

/** Keeps decisions for a moment, and writes them in batches: the answer does not wait for it. */
@Injectable()
export class DecisionLog implements OnApplicationShutdown {
  /** In the order of the decisions; all but the last are full. */
  private readonly waiting: DecisionRows[] = [];
  private readonly spare: DecisionRows[] = [];
  private count = 0;
  private bytes = 0;
  private timer: NodeJS.Timeout | null = null;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Whether there is room: without it nothing is decided, as no decision may go unkept. */
  get hasRoom(): boolean {
    return this.count < MOST_WAITING && this.bytes < MOST_WAITING_BYTES;
  }

  add(request: DecisionRequest, decision: Decision, correlationId: string): void {
    const { action, hook, principal, resource, context } = request;
    const { id, allowed, policies, advice, revision } = decision;
    // Spelled out: members after a spread make a hidden class of their own for each object, in the old generation (V8 11.3).
    const row = storableJson({
      id,
      time: new Date().toISOString(),
      action,
      hook,
      principal: principal.user,
      token_id: principal.tokenId,
      resource,
      context,
      allowed,
      policies,
      advice,
      revision,
      correlation_id: correlationId,
    });
    const denial = allowed ? null : { event: denialOf(decision, request), correlationId };
    this.bytes += this.rowsWithRoom().add(row, denial);
    this.count += 1;
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

  private rowsWithRoom(): DecisionRows {
    const last = this.waiting.at(-1);
    if (last && last.count < BATCH) return last;
    const rows = this.spare.pop() ?? new DecisionRows();
    this.waiting.push(rows);
    return rows;
  }

  private async write(): Promise<void> {
    // What is on its way to the database is out of reach of those that come meanwhile.
    for (let rows = this.waiting.shift(); rows; rows = this.waiting.shift()) {
      try {
        await this.keep(rows);
      } catch (error) {
        this.logger.warn({ err: error, decisions: this.count }, 'decisions.wait');
        this.waiting.unshift(rows);
        this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS * 2);
        return;
      }
      this.count -= rows.count;
      this.bytes -= rows.size;
      rows.clear();
      if (this.spare.length < MOST_SPARE) this.spare.push(rows);
    }
  }

  /** The rows, and with them the events of those that were denied: both or none. */
  private async keep(rows: DecisionRows): Promise<void> {
    const parameters = [rows.parameter()];
    const { denials } = rows;
    if (denials.length === 0) return void (await this.dataSource.query(INSERT, parameters));
    await this.dataSource.transaction(async (transaction) => {
      await transaction.query(INSERT, parameters);
      for (const { event, correlationId } of denials)
        await runInContext(newRequestContext(correlationId), () => this.outbox.event(transaction, event));
    });
  }
}
