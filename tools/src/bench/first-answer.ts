import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export const POLL_MS = 10;

export interface Door {
  port: number;
  /** The `Host` header, where several names are served at one port. */
  host?: string;
}

/** Until the door answers 200 (with these words, if any); asks every 10 ms, over one connection where it can be kept. */
export async function firstAnswer({ port, host }: Door, words?: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const answered = async (): Promise<boolean> => {
    const answer = await new Promise<string | undefined>((resolve) => {
      const headers = host === undefined ? {} : { host };
      get({ host: '127.0.0.1', port, path: '/', agent, timeout: 1_000, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', () => resolve(undefined));
        response.on('end', () => resolve(response.statusCode === 200 ? text.trim() : undefined));
      })
        .on('timeout', function (this: { destroy(): void }) {
          this.destroy();
        })
        .on('error', () => resolve(undefined));
    });
    return answer !== undefined && (words === undefined || answer === words);
  };
  while (!(await answered())) await delay(POLL_MS);
  agent.destroy();
}
