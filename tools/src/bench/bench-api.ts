import { setTimeout as delay } from 'node:timers/promises';
import type { Platform } from '@berth/host';

/** What became of a deployment. */
interface Outcome {
  id: string;
  status: string;
  reason: string | null;
}

/** The gateway's API, as the admin of a bench's platform uses it. Throws with what it answers. */
export class BenchApi {
  constructor(
    private readonly platform: Pick<Platform, 'url' | 'adminToken'>,
    private readonly project = 'sample',
  ) {}

  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.platform.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.platform.adminToken}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Of an environment of the bench's project; `rest` begins with a slash. */
  in<T>(environment: string, method: string, rest: string, body?: object): Promise<T> {
    return this.call(method, `/v1/projects/${this.project}/environments/${environment}${rest}`, body);
  }

  async makeEnvironment(name: string, variables: Record<string, string> = {}): Promise<void> {
    await this.call('POST', `/v1/projects/${this.project}/environments`, { name, variables });
  }

  async removeEnvironment(name: string): Promise<void> {
    await this.in(name, 'DELETE', '');
  }

  deploy(environment: string, compose: string): Promise<Outcome> {
    return this.in(environment, 'POST', '/deployments', { compose });
  }

  /** Until it has succeeded; throws when it ends in another way. */
  async succeeded({ id }: Pick<Outcome, 'id'>, everyMs = 20): Promise<void> {
    for (;;) {
      const { status, reason } = await this.call<Outcome>('GET', `/v1/deployments/${id}`);
      if (status === 'succeeded') return;
      if (!['pending', 'running'].includes(status)) throw new Error(`${status}: ${reason}`);
      await delay(everyMs);
    }
  }
}
