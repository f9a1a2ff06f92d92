import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { docker as dockerAt, testEngine } from '@berth/testing';

/** Runs the client of the run's engine, and answers what it says. */
export async function docker(...args: string[]): Promise<string> {
  return dockerAt(await testEngine(), ...args);
}

export interface Answer {
  status: number;
  headers: string;
  body: string;
}

/** A connection from within a guest. */
export interface GuestConnection {
  heard: { text: string; ended: boolean };
  closed: Promise<void>;
  stop(): Promise<void>;
}

/** What a guest asks, in HTTP/1.0, whose answers come as they are. */
export function requestOf(path: string, headers: string[] = [], method = 'GET', body = ''): string {
  return [`${method} ${path} HTTP/1.0`, 'Host: metadata.berth', ...headers, '', body].join('\r\n');
}

/** Connections that guests open with their own tools, in their own network, and what is said word for word on them. */
export class GuestConnections {
  private readonly present = new Set<GuestConnection>();

  open(guest: string, request: string, [host, port]: [string, number]): GuestConnection {
    // The end of the engine's client is not the end of what it started: that tells its own id first.
    const script = `echo $$; exec nc -w 1 ${host} ${port}`;
    const child = spawn('docker', ['exec', '-i', guest, 'sh', '-c', script]);
    const heard = { text: '', ended: false };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (heard.text += chunk));
    child.stdin.on('error', () => undefined).write(request);
    const closed = once(child, 'close').then(() => void (heard.ended = true));
    const stop = async (): Promise<void> => {
      await docker('exec', guest, 'kill', '-KILL', heard.text.split('\n')[0]).catch(() => undefined);
      await closed;
    };
    const connection = { heard, closed, stop };
    this.present.add(connection);
    void closed.finally(() => this.present.delete(connection));
    return connection;
  }

  /** Asks, and answers what comes back; status 0 where nothing does. What is not closed in time is cut off. */
  async ask(guest: string, request: string, to: [string, number], milliseconds = 6_000): Promise<Answer> {
    const { heard, closed, stop } = this.open(guest, request, to);
    const timer = setTimeout(() => void stop(), milliseconds);
    await closed;
    clearTimeout(timer);
    const [headers, ...rest] = heard.text.slice(heard.text.indexOf('\n') + 1).split('\r\n\r\n');
    const status = Number(/^HTTP\/1\.\d (\d+)/.exec(headers)?.[1] ?? 0);
    return { status, headers, body: rest.join('\r\n\r\n') };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.present].map((connection) => connection.stop()));
  }
}
