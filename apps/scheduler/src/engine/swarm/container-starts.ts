import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { LivingInstance } from '../container-engine.js';
import { callEngine } from './docker-client.js';
import { LABEL, labelFilter } from './labels.js';

/** As `GET /events` tells it. */
interface ContainerEvent {
  Actor?: { Attributes?: Record<string, string> };
}

/**
 * The engine's word of each container of an instance that starts on its own machine: other nodes tell theirs to nobody. Ends
 * with the signal, and with the engine's stream.
 */
export async function* containerStarts(
  docker: Docker,
  installation: string,
  signal: AbortSignal,
): AsyncGenerator<LivingInstance> {
  const own = labelFilter({ [LABEL.installation]: installation });
  const options: Docker.GetEventsOptions = { filters: { type: ['container'], event: ['start'], ...own } };
  const stream = (await callEngine(() => docker.getEvents(options))) as Readable;
  const lines = createInterface({ input: stream });
  // It ends in one way or another when the engine does; whoever wants to know more asks again.
  const stop = (): void => {
    stream.destroy();
    lines.close();
  };
  stream.on('error', stop).on('close', stop);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const line of lines) {
      const { Actor: actor } = JSON.parse(line) as ContainerEvent;
      const labels = actor?.Attributes ?? {};
      const id = labels['com.docker.swarm.task.id'];
      const { [LABEL.project]: project, [LABEL.environment]: environment, [LABEL.service]: service } = labels;
      if (id && project && environment && service) yield { id, project, environment, service };
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
