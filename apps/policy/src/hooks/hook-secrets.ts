import { createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { BerthError } from '@berth/contracts';
import { POLICY_ENV, type PolicyEnv } from '../env.js';

/** What requests to hooks are signed with, and answers over NATS. Made of a key that only the service has, so that no database holds a secret. */
@Injectable()
export class HookSecrets {
  constructor(@Inject(POLICY_ENV) private readonly env: PolicyEnv) {}

  /** Throws CONFLICT where the service has no key to make it of. */
  secretOf(name: string, secretId: string): string {
    const key = this.env.BERTH_HOOKS_KEY;
    if (!key) {
      throw new BerthError(
        'CONFLICT',
        'The policy service has no BERTH_HOOKS_KEY, so nothing that hooks are asked could be signed. Set it first.',
      );
    }
    return createHmac('sha256', Buffer.from(key, 'base64'))
      .update(`hook ${name} ${secretId}`)
      .digest('base64url');
  }

  /** Of `<seconds since 1970>.<body>`, as whoever is asked can make it too. */
  sign(name: string, secretId: string, body: string, now = Date.now()): string {
    const time = Math.floor(now / 1_000);
    return `t=${time},v1=${this.mac(name, secretId, `${time}.${body}`)}`;
  }

  /** Whether an answer over NATS was given to this decision by whoever has the secret: signed is `<decision>.<answer>`. */
  isAnswerOf(
    name: string,
    secretId: string,
    { decision, text, signature }: { decision: string; text: string; signature: string },
  ): boolean {
    const wanted = Buffer.from(`v1=${this.mac(name, secretId, `${decision}.${text}`)}`);
    const given = Buffer.from(signature);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  private mac(name: string, secretId: string, text: string): string {
    return createHmac('sha256', this.secretOf(name, secretId)).update(text).digest('hex');
  }
}
