import { Inject, Injectable } from '@nestjs/common';
import { errors, headers, Match, type Msg } from '@nats-io/transport-node';
import { Counter } from 'prom-client';
import {
  HookAnswer,
  type HookQuestion,
  hookSubject,
  type PolicyAdvice,
  type PolicyAnswer,
} from '@berth/contracts';
import { NatsLink } from '@berth/messaging';
import { Metrics } from '@berth/runtime';
import { HookSecrets } from './hook-secrets.js';
import type { LiveHook } from './live-hook.js';

const MOST_BYTES = 64 * 1024;
const SIGNATURE = 'berth-signature';

export interface HookVerdict {
  /** Denials; empty when nobody objects. */
  denials: PolicyAnswer[];
  advice: PolicyAdvice[];
}

/** Asks integrators' own code about a decision that policies would allow. */
@Injectable()
export class HookCaller {
  private readonly answers: Counter;

  constructor(
    @Inject(NatsLink) private readonly link: NatsLink,
    private readonly secrets: HookSecrets,
    metrics: Metrics,
  ) {
    this.answers = new Counter({
      name: 'berth_policy_hook_answers_total',
      help: 'Answers of hooks, by hook and what they said: allowed, denied, or failed',
      labelNames: ['hook', 'answer'],
      registers: [metrics.registry],
    });
  }

  /** All at once, each of which has a say in this: it takes as long as the slowest, and no longer than that one is given. */
  async ask(hooks: readonly LiveHook[], question: HookQuestion): Promise<HookVerdict> {
    const verdict: HookVerdict = { denials: [], advice: [] };
    await Promise.all(hooks.map((hook) => this.askOne(hook, question, verdict)));
    for (const said of [verdict.denials, verdict.advice]) said.sort((a, b) => (a.id < b.id ? -1 : 1));
    return verdict;
  }

  private async askOne(
    hook: LiveHook,
    question: HookQuestion,
    { denials, advice }: HookVerdict,
  ): Promise<void> {
    const id = `hook:${hook.name}`;
    try {
      const { allowed, message } = await this.answerOf(hook, question);
      this.answers.inc({ hook: hook.name, answer: allowed ? 'allowed' : 'denied' });
      if (!allowed) denials.push({ id, message: message?.trim() || `The hook "${hook.name}" denies it.` });
    } catch (error) {
      this.answers.inc({ hook: hook.name, answer: 'failed' });
      const message = `The hook "${hook.name}" gave no answer: ${reasonOf(error, hook)}`;
      if (hook.onFailure === 'deny') denials.push({ id, message });
      else advice.push({ id, message, mode: 'warn' });
    }
  }

  private async answerOf(hook: LiveHook, question: HookQuestion): Promise<HookAnswer> {
    const body = JSON.stringify(question);
    const text =
      hook.url === null
        ? await this.overNats(hook, question.decision, body)
        : await this.overHttp(hook.url, hook, body);
    return HookAnswer.parse(JSON.parse(text));
  }

  /** All who answer hooks may hear the question: only what is signed with this one's secret is an answer to it. */
  private async overNats(
    { name, timeoutMs, secretId }: LiveHook,
    decision: string,
    body: string,
  ): Promise<string> {
    const { connection } = this.link;
    // Registered before hooks over NATS had secrets.
    if (secretId === null) {
      return readable(await connection.request(hookSubject(name), body, { timeout: timeoutMs }));
    }
    const asked = headers();
    asked.set(SIGNATURE, this.secrets.sign(name, secretId, body));
    const options = { strategy: 'timer', maxWait: timeoutMs, headers: asked } as const;
    let unsigned = false;
    for await (const reply of await connection.requestMany(hookSubject(name), body, options)) {
      const text = readable(reply);
      const signature = reply.headers?.get(SIGNATURE, Match.IgnoreCase) ?? '';
      if (this.secrets.isAnswerOf(name, secretId, { decision, text, signature })) return text;
      unsigned = true;
    }
    throw new Error(unsigned ? 'none was signed with its secret' : `none in ${timeoutMs} ms`);
  }

  private async overHttp(
    url: string,
    { name, timeoutMs, secretId }: LiveHook,
    body: string,
  ): Promise<string> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [SIGNATURE]: secretId === null ? '' : this.secrets.sign(name, secretId, body),
      },
      body,
      // What was registered is asked, and nobody whom it names.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return readLimited(response);
  }
}

function readable(reply: Msg): string {
  if (reply.data.length > MOST_BYTES) throw new Error('its answer is too large');
  return reply.string();
}

async function readLimited(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > MOST_BYTES) throw new Error('its answer is too large');
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Without what it said: that may be anything. */
function reasonOf(error: unknown, { timeoutMs }: LiveHook): string {
  if (error instanceof errors.TimeoutError) return `none in ${timeoutMs} ms`;
  if (error instanceof errors.NoRespondersError) return 'nobody listens there';
  if (error instanceof errors.RequestError && error.isNoResponders()) return 'nobody listens there';
  const { name, message } = error as Partial<Error>;
  if (name === 'TimeoutError') return `none in ${timeoutMs} ms`;
  if (name === 'ZodError' || name === 'SyntaxError') return 'it is not { "allowed": true } or false';
  // Of fetch: no such host, nobody there, a redirect.
  if (name === 'TypeError') return 'it cannot be reached';
  return message ?? 'it failed';
}
