import { Inject, Injectable } from '@nestjs/common';
import { inNameOf } from '@berth/actions';
import type { AppliedRetention, RetentionRule } from '@berth/contracts';
import { LOGGER, newRequestContext, runInContext, type Logger, newId } from '@berth/runtime';
import { RetentionRules } from './retention-rules.js';
import { Retention } from './retention.js';

/** Less than whoever asks waits for. */
const AT_ONCE_MS = 20_000;
const BATCH = 50;

/** Has images let go by the rules: every hour, and when somebody says so. */
@Injectable()
export class RetentionRounds {
  /** Where the round is, by scope. */
  private after = '';

  constructor(
    private readonly rules: RetentionRules,
    private readonly retention: Retention,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** As whoever asks, as far as it comes in 20 s. */
  applyAtOnce(rule: RetentionRule): Promise<AppliedRetention> {
    return this.retention.apply(rule, performance.now() + AT_ONCE_MS);
  }

  /** Some of the rules, for so many milliseconds at most. Answers whether there is more. */
  async round(forMs: number): Promise<boolean> {
    const deadline = performance.now() + forMs;
    const rules = await this.rules.list(null, this.after, BATCH);
    for (const rule of rules) {
      if (performance.now() > deadline) return true;
      if (await this.applyUnasked(rule, deadline)) return true;
      this.after = rule.scope;
    }
    if (rules.length === BATCH) return true;
    this.after = '';
    return false;
  }

  /** In the name of whoever set the rule: nobody gets to do more by it. Answers whether there is more. */
  private async applyUnasked(rule: RetentionRule, deadline: number): Promise<boolean> {
    const { scope, team, setBy } = rule;
    try {
      const { tags, images, denied, more } = await runInContext(
        newRequestContext(newId(), inNameOf(setBy, team, 'maintainer')),
        () => this.retention.apply(rule, deadline),
      );
      const counts = { tags: tags.length, images: images.length, denied: denied.length };
      if (Object.values(counts).some((count) => count > 0))
        this.logger.info({ scope, ...counts }, 'retention.applied');
      return more;
    } catch (error) {
      // The others have their turn; this one has it again in an hour.
      this.logger.warn({ err: error, scope }, 'retention.failed');
      return false;
    }
  }
}
