import type { AuditQuery, AuditRecord } from '@berth/contracts';
import { AuditQuery as Query } from '@berth/contracts';
import { eventually } from '@berth/testing';
import { RecordList } from '../src/reading/record-list.js';
import { record, RunningAudit } from './audit-service.js';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();

const RECORDS: Record<string, AuditRecord> = {
  deployed: record({ time: at(1) }),
  denied: record({ time: at(2), outcome: 'denied', code: 'POLICY_DENIED', actor: 'bob' }),
  removed: record({
    ...{ time: at(3), action: 'deployment.cancel', resource: { type: 'Deployment', id: 'd1' } },
    correlationId: 'the-one',
  }),
  pulled: record({ time: at(4), action: 'image.pull', kind: 'read', resource: { type: 'Image', id: 'a/b' } }),
  refused: record({
    time: at(5),
    action: 'image.pull',
    kind: 'read',
    outcome: 'denied',
    environment: 'prod',
  }),
  other: record({ time: at(6), team: 'other', project: 'blog', action: 'deployment_x.create' }),
  nobody: record({ time: at(7), team: null, project: null, environment: null, action: 'user.create' }),
};

describe('a list of records', () => {
  let audit: RunningAudit;
  let list: RecordList;

  beforeAll(async () => {
    audit = await RunningAudit.start();
    list = audit.app.get(RecordList, { strict: false });
    await audit.source.send(Object.values(RECORDS));
    await eventually(async () => expect(await audit.count('records')).toBe(7));
  });
  afterAll(() => audit.stop());

  const query = (filters: Partial<AuditQuery>): AuditQuery => Query.parse(filters);
  const namesOf = (items: AuditRecord[]): string[] =>
    items.map(({ id }) => Object.entries(RECORDS).find(([, { id: known }]) => known === id)?.[0] ?? '?');

  it.each<[Partial<AuditQuery>, string[]]>([
    [{}, ['nobody', 'other', 'refused', 'removed', 'denied', 'deployed']],
    [{ reads: true }, ['nobody', 'other', 'refused', 'pulled', 'removed', 'denied', 'deployed']],
    [{ project: 'blog' }, ['other']],
    [{ environment: 'prod' }, ['refused']],
    [{ actor: 'bob' }, ['denied']],
    [{ action: 'deployment.cancel' }, ['removed']],
    [{ action: 'deployment.*' }, ['removed', 'denied', 'deployed']],
    [{ action: 'deployment' }, []],
    [{ resource: 'Deployment' }, ['removed']],
    [{ resource: 'Environment:shop.dev', actor: 'bob' }, ['denied']],
    [{ resource: 'Image:a/b', reads: true }, ['pulled']],
    [{ outcome: 'denied' }, ['refused', 'denied']],
    [{ correlationId: 'the-one' }, ['removed']],
    [{ since: at(3), until: at(5) }, ['refused', 'removed']],
    [{ since: at(8) }, []],
    [{ outcome: 'denied', actor: 'ann', since: at(2), environment: 'prod' }, ['refused']],
  ])('narrowed by %j', async (filters, names) => {
    const { items, nextCursor } = await list.page(query(filters), null);
    expect(namesOf(items)).toEqual(names);
    expect(nextCursor).toBeNull();
  });

  it('shows the records of the teams that may be seen, and of no other and none', async () => {
    expect(namesOf((await list.page(query({}), ['other'])).items)).toEqual(['other']);
    expect(namesOf((await list.page(query({}), ['other', 'acme'])).items)).toEqual([
      'other',
      'refused',
      'removed',
      'denied',
      'deployed',
    ]);
    expect((await list.page(query({}), [])).items).toEqual([]);
  });

  it('goes on where a page ended, whatever came in meanwhile', async () => {
    // Many at the same moment: the id has to tell them apart.
    const actor = 'pager';
    const sent = Array.from({ length: 25 }, (_, n) => record({ actor, time: at(10 + Math.floor(n / 10)) }));
    await audit.source.send(sent);
    await eventually(async () => expect(await audit.count('records')).toBe(32));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await list.page(query({ actor, limit: 4, ...(cursor ? { cursor } : {}) }), null);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
      const known = await audit.count('records');
      await audit.source.send([record({ actor, time: at(50) })]);
      await eventually(async () => expect(await audit.count('records')).toBe(known + 1));
    } while (cursor !== undefined);
    expect(seen).toHaveLength(25);
    expect(new Set(seen)).toEqual(new Set(sent.map(({ id }) => id)));
  });

  it.each([
    'nonsense',
    Buffer.from('{"time":"x","id":1}').toString('base64url'),
    Buffer.from('[]').toString('base64url'),
  ])('refuses the cursor %s', async (cursor) => {
    await expect(list.page(query({ cursor }), null)).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });
});
