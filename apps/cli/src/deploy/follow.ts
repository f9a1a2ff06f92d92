import { setTimeout as wait } from 'node:timers/promises';
import { Deployment, isFinished } from '@berth/contracts';
import { CliError } from '../errors.js';
import type { Api } from '../http/api.js';
import { path } from '../http/path.js';

/** How long the gateway may be away before following is given up; the deployment itself goes on. */
const GIVE_UP_MS = 120_000;
const LONGEST_PAUSE_MS = 5_000;

/**
 * The states of a deployment until it is finished. What the stream says is news; what counts is the deployment as it
 * is read after the stream ended, for whatever reason that was.
 */
export async function* followDeployment(api: Api, id: string): AsyncGenerator<Deployment> {
  let awaySince: number | null = null;
  for (let pause = 250; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      for await (const deployment of changesOf(api, id)) {
        awaySince = null;
        pause = 250;
        yield deployment;
      }
      const now = await api.get(path`/v1/deployments/${id}`, Deployment);
      yield now;
      if (isFinished(now.status)) return;
    } catch (error) {
      if (!isPassing(error)) throw error;
      awaySince ??= Date.now();
      if (Date.now() - awaySince > GIVE_UP_MS) {
        throw error.withHint(`The deployment goes on without you; see it later: berth deployments ${id}`);
      }
    }
    await wait(pause);
  }
}

async function* changesOf(api: Api, id: string): AsyncGenerator<Deployment> {
  for await (const { event, data } of api.events(path`/v1/deployments/${id}/events`)) {
    if (event !== 'deployment') continue;
    const parsed = Deployment.safeParse(JSON.parse(data));
    if (parsed.success) yield parsed.data;
  }
}

/** Whether it may be over in a moment: the gateway restarts, a service behind it does not answer. */
function isPassing(error: unknown): error is CliError {
  return error instanceof CliError && (error.code === 'UNREACHABLE' || (error.problem?.status ?? 0) >= 502);
}
