import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { decisionDisputed, type Decision, type DecisionRequest } from '@berth/contracts';
import { draftEvent, Outbox } from '@berth/messaging';
import { LOGGER, type Logger } from '@berth/runtime';
import type { Dispute, Evaluation } from '../cedar/evaluator.js';

/** Raises the alarm over decisions that two evaluators did not agree about. */
@Injectable()
export class Disputes {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The answer does not wait for it; what cannot be sent is in the log all the same. */
  raise(request: DecisionRequest, { id, revision }: Decision, { decided, expected }: Dispute): void {
    const { action, hook, resource } = request;
    const data = {
      ...{ decision: id, revision, action, hook, resource: { type: resource.type, id: resource.id } },
      ...{ decided: told(decided), expected: told(expected) },
    };
    this.logger.error(data, 'decision.disputed');
    this.dataSource
      .transaction((transaction) => this.outbox.event(transaction, draftEvent(decisionDisputed, {}, data)))
      .catch((error: unknown) =>
        this.logger.error({ err: error, decision: id }, 'decision.disputed.not-sent'),
      );
  }
}

function told({ allowed, determining, errors }: Evaluation): {
  allowed: boolean;
  policies: string[];
  errors: string[];
} {
  return {
    allowed,
    policies: determining,
    errors: errors.map(({ policy, message }) => `${policy}: ${message}`),
  };
}
