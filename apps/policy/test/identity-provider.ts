import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const CLIENT_SECRET = 'a-secret-of-the-client';

/** A real provider of OpenID Connect, in a process of its own; its signatures, codes and pages are its own too. */
export class TestIdentityProvider {
  private constructor(
    private readonly process: ChildProcess,
    readonly issuer: string,
  ) {}

  static async start(): Promise<TestIdentityProvider> {
    const child = fork(join(__dirname, 'oidc-server.mjs'), {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [],
    });
    const [{ issuer }] = (await once(child, 'message')) as [{ issuer: string }];
    return new TestIdentityProvider(child, issuer);
  }

  get env(): Record<string, string> {
    return { BERTH_OIDC_ISSUER: this.issuer, BERTH_OIDC_CLIENT_SECRET: CLIENT_SECRET };
  }

  /** There from now on, as they are from now on. */
  async person(sub: string, claims: Record<string, unknown>): Promise<void> {
    await this.tell({ person: { sub, claims } });
  }

  async tell(what: object): Promise<void> {
    this.process.send(what);
    await once(this.process, 'message');
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }
}

/** What a person does in a browser: opens the page, says who they are, and confirms, or refuses. */
export async function confirmInBrowser(
  page: string,
  sub: string,
  answer: 'confirm' | 'refuse' = 'confirm',
): Promise<void> {
  const browser = new Browser();
  let shown = await browser.open(page);
  for (let step = 0; shown.form; step += 1) {
    if (step > 10) throw new Error(`the provider asks on and on: ${shown.text}`);
    const { form } = shown;
    const asked = form.get('prompt') !== 'login' && form.has('confirm');
    if (form.get('prompt') === 'login') {
      form.set('login', sub);
      form.set('password', 'any');
    }
    if (asked && answer === 'refuse') {
      form.delete('confirm');
      form.set('abort', 'yes');
    }
    shown = await browser.open(shown.action, form);
    if (form.has('abort')) return;
  }
}

interface Shown {
  text: string;
  action: string;
  form: URLSearchParams | null;
}

class Browser {
  private readonly cookies = new Map<string, string>();

  async open(url: string, body?: URLSearchParams): Promise<Shown> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      method: body ? 'POST' : 'GET',
      body,
      headers: { cookie, accept: 'text/html' },
      redirect: 'manual',
    });
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      this.cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location) return this.open(new URL(location, url).href);
    const text = await response.text();
    return { text, ...formOf(text, url) };
  }
}

function formOf(html: string, base: string): { action: string; form: URLSearchParams | null } {
  const [form] = /<form[\s\S]*?<\/form>/.exec(html) ?? [];
  if (!form) return { action: base, form: null };
  const attribute = (tag: string, name: string): string | undefined =>
    new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1];
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<(input|button)[^>]*>/g)) {
    const name = attribute(tag, 'name');
    if (name) fields.set(name, attribute(tag, 'value') ?? '');
  }
  return { action: new URL(attribute(form, 'action') ?? base, base).href, form: fields };
}
