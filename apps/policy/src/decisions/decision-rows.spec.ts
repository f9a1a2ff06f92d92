import { DecisionRows } from './decision-rows.js';

const read = (rows: DecisionRows): unknown => {
  const [version, ...text] = rows.parameter();
  expect(version).toBe(1);
  return JSON.parse(Buffer.from(text).toString());
};

test('rows come out as they went in, however many and in whatever letters', () => {
  const rows = new DecisionRows();
  const texts = Array.from({ length: 300 }, (_, n) => `${'ä€😀'.repeat(n)} ${n}`);
  const bytes = texts.reduce((sum, text) => sum + rows.add(JSON.stringify({ text }), null), 0);
  expect(read(rows)).toEqual(texts.map((text) => ({ text })));
  expect([rows.count, rows.size]).toEqual([300, bytes]);
  // What was asked for in vain is asked for again, with what has come meanwhile.
  rows.add('{"text":"more"}', null);
  expect(read(rows)).toHaveLength(301);
});

test('what was written is forgotten, and the room used again', () => {
  const rows = new DecisionRows();
  const denial = { event: {} as never, correlationId: 'c' };
  rows.add('{"n":1}', denial);
  expect(rows.denials).toEqual([denial]);
  rows.clear();
  expect([rows.count, rows.size, rows.denials]).toEqual([0, 0, []]);
  rows.add('{"n":2}', null);
  expect(read(rows)).toEqual([{ n: 2 }]);
});
