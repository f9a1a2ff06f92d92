import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import {
  eventSubject,
  type AuditRecord,
  type CloudEvent,
  type EventDefinition,
  type EventPlace,
  type ServiceName,
} from '@berth/contracts';
import { correlationId, SERVICE_NAME, newId } from '@berth/runtime';

/** An event that is to be told with a change. */
export interface EventDraft {
  definition: EventDefinition;
  place: EventPlace;
  data: unknown;
}

export function draftEvent<Data extends z.ZodType>(
  definition: EventDefinition<Data>,
  place: EventPlace,
  data: z.input<Data>,
): EventDraft {
  return { definition, place, data: definition.data.parse(data) };
}

/** Writes what is to be published into the transaction of the change that it tells of. */
@Injectable()
export class Outbox {
  constructor(@Inject(SERVICE_NAME) private readonly service: ServiceName) {}

  async event(transaction: EntityManager, draft: EventDraft): Promise<void> {
    const event: CloudEvent = {
      specversion: '1.0',
      id: newId(),
      source: `/berth/${this.service}`,
      type: draft.definition.type,
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      correlationid: correlationId(),
      data: draft.data,
    };
    await this.append(transaction, [
      { id: event.id, subject: eventSubject(event.type, draft.place), payload: JSON.stringify(event) },
    ]);
  }

  async records(transaction: EntityManager, records: AuditRecord[]): Promise<void> {
    await this.append(
      transaction,
      records.map((record) => ({
        id: record.id,
        subject: `berth.records.${this.service}`,
        payload: JSON.stringify(record),
      })),
    );
  }

  private async append(
    transaction: EntityManager,
    rows: { id: string; subject: string; payload: string }[],
  ): Promise<void> {
    if (rows.length === 0) return;
    await transaction.query(
      `INSERT INTO outbox (id, subject, payload)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])`,
      [rows.map((row) => row.id), rows.map((row) => row.subject), rows.map((row) => row.payload)],
    );
  }
}
