import { setTimeout as wait } from 'node:timers/promises';
import { LogLine, Problem, RecentLines } from '@berth/contracts';
import { CliError } from '../errors.js';
import type { Api } from '../http/api.js';
import type { Query } from '../http/path.js';

/** How long the gateway may be away before following is given up. */
const GIVE_UP_MS = 120_000;
const LONGEST_PAUSE_MS = 5_000;
/** As many as the gateway brings of the time in between. */
const MOST_LINES = 10_000;

/** Prints lines as they come, until the services are gone. A stream that is cut off is taken up where it ended. */
export async function followLogs(
  api: Api,
  path: string,
  query: Query,
  print: (line: LogLine) => void,
  lost: (data: string) => void,
): Promise<void> {
  const recent = new RecentLines();
  let awaySince: number | null = null;
  let connected = false;
  for (let pause = 250; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const since = recent.resume();
    const from: Query = since ? { ...query, since, tail: MOST_LINES } : query;
    try {
      for await (const { event, data } of api.events(path, { ...from, follow: true })) {
        connected = true;
        awaySince = null;
        pause = 250;
        if (event === 'end') return;
        if (event === 'error') throw problemOf(data);
        if (event === 'lost') lost(data);
        const line = event === 'log' ? LogLine.safeParse(JSON.parse(data)) : null;
        if (line?.success && recent.isNew(line.data)) print(line.data);
      }
    } catch (error) {
      if (!connected || !isPassing(error)) throw error;
      awaySince ??= Date.now();
      if (Date.now() - awaySince > GIVE_UP_MS) throw error;
    }
    await wait(pause);
  }
}

function problemOf(data: string): CliError {
  return CliError.fromProblem(Problem.parse(JSON.parse(data)));
}

function isPassing(error: unknown): boolean {
  return error instanceof CliError && (error.code === 'UNREACHABLE' || error.code === 'SERVICE_UNAVAILABLE');
}
