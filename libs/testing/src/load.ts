import { Agent, request } from 'node:http';

/** What became of the requests of a load. */
export interface LoadReport {
  sent: number;
  /** What went wrong, how often. */
  failures: Record<string, number>;
  /** Each answer that came, how often. */
  answers: Record<string, number>;
}

/** Requests to one host at a steady rate, over connections that are kept: as clients do, and as hard as it gets. */
export class Load {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 32 });
  private readonly report: LoadReport = { sent: 0, failures: {}, answers: {} };
  private readonly underWay = new Set<Promise<void>>();
  private readonly timer: NodeJS.Timeout;
  private begun = performance.now();

  constructor(
    private readonly port: number,
    private readonly host: string,
    private readonly perSecond: number,
  ) {
    this.timer = setInterval(() => this.send(), 10);
  }

  /** Ends when all that was sent is answered. */
  async stop(): Promise<LoadReport> {
    clearInterval(this.timer);
    await Promise.all(this.underWay);
    this.agent.destroy();
    return this.report;
  }

  /** As many as are due: a timer that comes late must not make the load lighter. */
  private send(): void {
    const due = Math.floor(((performance.now() - this.begun) / 1_000) * this.perSecond);
    while (this.report.sent < due) {
      this.report.sent += 1;
      const one = this.ask().then(
        (answer) => count(this.report.answers, answer),
        (error: Error) => count(this.report.failures, error.message),
      );
      this.underWay.add(one);
      void one.finally(() => this.underWay.delete(one));
    }
  }

  private ask(): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          ...{ host: '127.0.0.1', port: this.port, path: '/', agent: this.agent, timeout: 10_000 },
          headers: { host: this.host },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('error', reject);
          response.on('end', () => {
            if (response.statusCode === 200) resolve(text.trim());
            else reject(new Error(`status ${response.statusCode}`));
          });
        },
      );
      call.on('timeout', () => call.destroy(new Error('no answer in 10 s')));
      call.on('error', reject);
      call.end();
    });
  }
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
