import { Injectable } from '@nestjs/common';
import { Counter } from 'prom-client';
import { ActionPipeline, type Grant } from '@berth/actions';
import { actions, ANONYMOUS, type BerthError, PLATFORM } from '@berth/contracts';
import { correlationId, Metrics } from '@berth/runtime';
import { RecordAllowance } from './record-allowance.js';

/**
 * Records failed authentications. Those with a token that was once valid always; those with an unknown one, which anybody
 * can send without end, up to an allowance: the next record then says how many went unrecorded, and the metric counts all.
 */
@Injectable()
export class FailedAuthentications {
  private readonly allowance = new RecordAllowance();
  private readonly count: Counter;

  constructor(
    private readonly pipeline: ActionPipeline,
    metrics: Metrics,
  ) {
    this.count = new Counter({
      name: 'berth_authentication_failures_total',
      help: 'Tokens and logins that were refused, by error code',
      labelNames: ['code'],
      registers: [metrics.registry],
    });
  }

  async ofToken(token: { id: string; user: string }, error: BerthError): Promise<void> {
    this.count.inc({ code: error.code });
    const actor = { user: token.user, tokenId: token.id };
    await this.record(actor, { tokenId: token.id }, error.code, error.message);
  }

  ofUnknownToken(error: BerthError): Promise<void> {
    return this.ofAnybody({}, error);
  }

  /** A login that ended without a token; of whom, where that is known. */
  ofLogin(person: { issuer?: string; subject?: string }, error: BerthError): Promise<void> {
    return this.ofAnybody(person, error);
  }

  private async ofAnybody(request: Grant['request'], error: BerthError): Promise<void> {
    this.count.inc({ code: error.code });
    const unrecorded = this.allowance.take(performance.now());
    if (unrecorded === null) return;
    const reason =
      unrecorded === 0 ? error.message : `${error.message} ${unrecorded} others before it were not recorded.`;
    await this.record({ user: ANONYMOUS, tokenId: null }, request, error.code, reason);
  }

  private async record(
    actor: Grant['actor'],
    request: Grant['request'],
    code: string,
    reason: string,
  ): Promise<void> {
    const grant: Grant = {
      action: actions.authenticationFail.name,
      resource: PLATFORM,
      actor,
      request,
      decisions: [],
      policies: [],
      correlationId: correlationId(),
    };
    await this.pipeline.recordAlone(grant, { outcome: 'denied', code, reason });
  }
}
