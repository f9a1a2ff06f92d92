import { createHmac } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { BerthError } from '@berth/contracts';
import { POLICY_ENV, type PolicyEnv } from '../env.js';

/** What requests to hooks are signed with. Made of a key that only the service has, so that no database holds a secret. */
@Injectable()
export class HookSecrets {
  constructor(@Inject(POLICY_ENV) private readonly env: PolicyEnv) {}

  /** Throws CONFLICT where the service has no key to make it of. */
  secretOf(name: string, secretId: string): string {
    const key = this.env.BERTH_HOOKS_KEY;
    if (!key) {
      throw new BerthError(
        'CONFLICT',
        'The policy service has no BERTH_HOOKS_KEY, so requests to a URL cannot be signed. Set it, or ask the hook over NATS.',
      );
    }
    return createHmac('sha256', Buffer.from(key, 'base64'))
      .update(`hook ${name} ${secretId}`)
      .digest('base64url');
  }

  /** Of `<seconds since 1970>.<body>`, as whoever is asked can make it too. */
  sign(name: string, secretId: string, body: string, now = Date.now()): string {
    const time = Math.floor(now / 1_000);
    const mac = createHmac('sha256', this.secretOf(name, secretId)).update(`${time}.${body}`).digest('hex');
    return `t=${time},v1=${mac}`;
  }
}
