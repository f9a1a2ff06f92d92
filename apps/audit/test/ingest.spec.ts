import { eventually } from '@berth/testing';
import { RecordList } from '../src/reading/record-list.js';
import { record, RunningAudit } from './audit-service.js';

describe('what services record', () => {
  let audit: RunningAudit;

  beforeAll(async () => {
    audit = await RunningAudit.start();
  });
  afterAll(() => audit.stop());

  const stored = async (correlationId: string) =>
    (
      await audit.app
        .get(RecordList, { strict: false })
        .page({ correlationId, reads: true, limit: 200 }, null)
    ).items;

  it('is kept as it was told', async () => {
    const sent = record({
      outcome: 'denied',
      code: 'POLICY_DENIED',
      reason: 'no latest',
      tokenId: null,
      request: { nested: { list: [1, true, 'x'] } },
    });
    await audit.source.send([sent]);
    await eventually(async () => expect(await stored(sent.correlationId)).toEqual([sent]));
  });

  it('is kept once, however often it is delivered', async () => {
    const sent = record();
    const marker = record();
    await audit.source.send([sent]);
    // Without a message id the stream takes it again, as it does after its window for duplicates.
    for (let n = 0; n < 3; n++) await audit.source.sendRaw(JSON.stringify(sent));
    await audit.source.send([marker]);
    await eventually(async () => expect(await stored(marker.correlationId)).toHaveLength(1));
    expect(await stored(sent.correlationId)).toHaveLength(1);
    expect(await audit.metric('berth_audit_records_repeated_total')).toBe(3);
  });

  it('may say more than this version knows', async () => {
    const sent = record();
    await audit.source.sendRaw(JSON.stringify({ ...sent, receipt: 'of a later version' }));
    await eventually(async () => expect(await stored(sent.correlationId)).toEqual([sent]));
  });

  it('is kept even with characters that no database text can hold', async () => {
    const sent = record({ reason: 'before\0after', request: { 'key\0': 'half \ud83d of a pair, whole 😀' } });
    await audit.source.send([sent]);
    await eventually(async () =>
      expect(await stored(sent.correlationId)).toEqual([
        {
          ...sent,
          reason: 'before\ufffdafter',
          request: { 'key\ufffd': 'half \ufffd of a pair, whole 😀' },
        },
      ]),
    );
  });

  it('is set aside with its bytes where it is no record, and stops nothing', async () => {
    const before = await audit.count('rejected');
    const after = record();
    const poison = [
      'not JSON {',
      '{"id":"no record"}',
      new Uint8Array([0xff, 0xfe, 0x00]),
      // Passes as a record; it is the database that cannot take it.
      JSON.stringify({ ...record(), time: '0000-01-01T00:00:00Z' }),
      JSON.stringify({ ...record(), request: {} }).replace(
        '{}',
        '{"a":'.repeat(20_000) + '1' + '}'.repeat(20_000),
      ),
    ];
    for (const payload of poison) await audit.source.sendRaw(payload);
    await audit.source.send([after]);
    await eventually(async () => expect(await stored(after.correlationId)).toEqual([after]));
    await eventually(async () => expect(await audit.count('rejected')).toBe(before + poison.length));
    const { rows } = await audit.sql.query<{ payload: Buffer; subject: string; reason: string }>(
      'SELECT payload, subject, reason FROM rejected ORDER BY sequence',
    );
    const kept = rows.slice(-poison.length);
    expect(kept.map(({ payload }) => payload)).toEqual(poison.map((payload) => Buffer.from(payload)));
    expect(kept[1]).toMatchObject({
      subject: 'berth.records.scheduler',
      reason: expect.stringContaining('time') as string,
    });
    expect(await audit.metric('berth_audit_messages_rejected_total')).toBe(poison.length);
    const ready = await fetch(`${await audit.app.getUrl()}/readyz`);
    expect(ready.status).toBe(200);
  });

  it('shows how far behind it is', async () => {
    const sent = record();
    await audit.source.send([sent]);
    await eventually(async () => expect(await stored(sent.correlationId)).toHaveLength(1));
    await eventually(async () => expect(await audit.metric('berth_audit_ingest_lag_records')).toBe(0));
    expect(await audit.metric('berth_audit_ingest_delay_seconds')).toBeLessThan(10);
  });

  it.each([
    `UPDATE records SET actor = 'nobody'`,
    'DELETE FROM records',
    'TRUNCATE records',
    `INSERT INTO records SELECT * FROM records LIMIT 1 ON CONFLICT (id) DO UPDATE SET actor = 'nobody'`,
    'DELETE FROM rejected',
  ])('cannot be rewritten: %s', async (statement) => {
    await expect(audit.sql.query(statement)).rejects.toMatchObject({ code: '42501' });
    // Nor by a role that has given itself the privilege back.
    await audit.sql.query('GRANT ALL ON records, rejected TO CURRENT_USER');
    await expect(audit.sql.query(statement)).rejects.toMatchObject({
      code: '42501',
      message: expect.stringContaining('append-only') as string,
    });
  });
});
