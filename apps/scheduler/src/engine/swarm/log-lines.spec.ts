import { asLineTime, ReadMarks, type TaskLine } from './log-lines.js';

const line = (nanos: number, stream: 'stdout' | 'stderr' = 'stdout', task = 't1'): TaskLine => ({
  time: `2026-05-01T10:00:00.${String(nanos).padStart(9, '0')}Z`,
  stream,
  task,
  line: String(nanos),
});
const read = (marks: ReadMarks, lines: TaskLine[]): string[] =>
  lines.filter((each) => marks.isNew(each)).map(({ line: text }) => text);

test('a moment compares with the times of lines', () => {
  const moment = asLineTime(new Date('2026-05-01T10:00:00.123Z'));
  expect(moment).toBe('2026-05-01T10:00:00.123000000Z');
  expect(line(123_000_001).time > moment).toBe(true);
});

test('what is read again is known', () => {
  const past = [line(1), line(2)];
  const marks = ReadMarks.ofPast(past, 10, '');
  expect(read(marks, [...past, line(3), line(3), line(4)])).toEqual(['3', '4']);
});

test('each output of each task is read by itself', () => {
  const marks = ReadMarks.ofPast([line(5)], 10, '');
  expect(read(marks, [line(3, 'stderr'), line(4, 'stdout', 't2'), line(4)])).toEqual(['3', '4']);
});

test('what a tail cut off does not come back, in neither output', () => {
  const marks = ReadMarks.ofPast([line(5), line(6)], 2, '');
  expect(read(marks, [line(3), line(4, 'stderr'), line(5), line(6), line(7)])).toEqual(['7']);
});

test('nothing before the moment from which on lines are wanted', () => {
  expect(read(new ReadMarks(line(5).time), [line(4), line(5), line(6)])).toEqual(['5', '6']);
});
