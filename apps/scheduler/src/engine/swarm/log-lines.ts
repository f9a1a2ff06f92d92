import type { LogLine } from '@berth/contracts';
import { demultiplex, type StreamLine } from './demultiplex.js';

const TASK_ID = /com\.docker\.swarm\.task\.id=(\w+)/;
/** Digits of a second in what the engine writes (RFC3339NanoFixed). */
const DIGITS = 9;

/** A line as the engine keeps it. */
export interface TaskLine extends StreamLine {
  /** RFC 3339 with nanoseconds: sorts as text. */
  time: string;
  task: string;
}

export function readLines(output: Buffer): TaskLine[] {
  return demultiplex(output).flatMap(parseLine);
}

/** None where it is not of the form `<time> <details> <line>`. */
export function parseLine({ stream, line }: StreamLine): TaskLine[] {
  const match = /^(\S+) (\S*) ?(.*)$/s.exec(line);
  const task = match && TASK_ID.exec(match[2])?.[1];
  return match && task ? [{ stream, time: match[1], task, line: match[3] }] : [];
}

export function toLogLine({ stream, line, time, task }: TaskLine, service: string): LogLine {
  return { time, service, instance: task, stream, line };
}

export function byTime(a: { time: string }, b: { time: string }): number {
  return a.time < b.time ? -1 : a.time > b.time ? 1 : 0;
}

/** A moment as the engine writes it, so that the two compare as text. */
export function asLineTime(moment: Date): string {
  const [seconds, fraction] = moment.toISOString().slice(0, -1).split('.');
  return `${seconds}.${fraction.padEnd(DIGITS, '0')}Z`;
}

/**
 * How far each output of each task has been read. The engine keeps the lines of one output in order, so that what lies
 * before is known already when reading begins again a little earlier.
 */
export class ReadMarks {
  private readonly marks = new Map<string, string>();

  /** Nothing before `from` is wanted. */
  constructor(private readonly from: string = '') {}

  /** Notes what was read of the past, of which there were `tail` lines of a task at most: what lies before was cut off. */
  static ofPast(lines: readonly TaskLine[], tail: number, from: string): ReadMarks {
    const marks = new ReadMarks(from);
    const tasks = new Map<string, TaskLine[]>();
    for (const line of lines) tasks.set(line.task, [...(tasks.get(line.task) ?? []), line]);
    for (const [task, own] of tasks) {
      if (own.length < tail) continue;
      for (const stream of ['stdout', 'stderr']) marks.marks.set(`${task} ${stream}`, own[0].time);
    }
    for (const line of lines) marks.isNew(line);
    return marks;
  }

  /** Whether a line has not been read yet; it has from now on. */
  isNew({ task, stream, time }: TaskLine): boolean {
    const key = `${task} ${stream}`;
    const mark = this.marks.get(key);
    if (mark === undefined ? time < this.from : time <= mark) return false;
    this.marks.set(key, time);
    return true;
  }
}
