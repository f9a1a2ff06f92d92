import { SetupError } from './console.js';

/** As much of the gateway's API as setting up needs. */
export class Gateway {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** Creates something by POST; that it is there already is as good. */
  async ensure(path: string, body: object): Promise<void> {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.ok || (response.status === 409 && text.includes('"ALREADY_EXISTS"'))) return;
    throw new SetupError(`POST ${path} answered ${response.status}: ${text}`);
  }
}
