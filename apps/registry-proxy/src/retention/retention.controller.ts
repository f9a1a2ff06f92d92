import { Controller } from '@nestjs/common';
import { ActionPipeline, Performs, readOfTeams, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  positionOf,
  registryRpc,
  retentionRemovedEvent,
  retentionSetEvent,
  teamResource,
  toPage,
  type AppliedRetention,
  type InRetentionScope,
  type ListRetention,
  type Page,
  type RetentionRule,
  type SetScopedRetention,
} from '@berth/contracts';
import { draftEvent, Handles } from '@berth/messaging';
import { RetentionRounds } from './retention-rounds.js';
import { RetentionRules, teamOf } from './retention-rules.js';
import { Retention } from './retention.js';

/** Rules by which images go, as people see, set and try them. */
@Controller()
export class RetentionController {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly rules: RetentionRules,
    private readonly retention: Retention,
    private readonly rounds: RetentionRounds,
  ) {}

  @Handles(registryRpc.retention)
  @Performs(actions.retentionList)
  list({ team, limit, cursor }: ListRetention): Promise<Page<RetentionRule>> {
    return readOfTeams(this.pipeline, actions.retentionList, team, async (teams) => {
      const found = await this.rules.list(teams, positionOf(cursor, 'scope'), limit + 1);
      return toPage(
        found,
        limit,
        (rule) => rule,
        ({ scope }) => ({ scope }),
      );
    });
  }

  @Handles(registryRpc.setRetention)
  @Performs(actions.retentionSet)
  set(rule: SetScopedRetention): Promise<RetentionRule> {
    const resource = teamResource(teamOf(rule.scope));
    const intent = { action: actions.retentionSet, resource, context: rule };
    return this.pipeline.change(intent, async (transaction) => {
      const result = await this.rules.put(rule, requireActor().user, transaction);
      return { result, outcome: {}, events: [draftEvent(retentionSetEvent, resource, result)] };
    });
  }

  @Handles(registryRpc.removeRetention)
  @Performs(actions.retentionRemove)
  async remove({ scope }: InRetentionScope): Promise<Record<string, never>> {
    const resource = teamResource(teamOf(scope));
    const intent = { action: actions.retentionRemove, resource, context: { scope } };
    await this.pipeline.change(intent, async (transaction) => {
      if (!(await this.rules.remove(scope, transaction))) throw unknown(scope);
      return { result: null, outcome: {}, events: [draftEvent(retentionRemovedEvent, resource, { scope })] };
    });
    return {};
  }

  @Handles(registryRpc.previewRetention)
  @Performs(actions.retentionPreview)
  preview(rule: SetScopedRetention): Promise<AppliedRetention> {
    const { scope, tags, keepLast = null, olderThanSeconds = null } = rule;
    const intent = { action: actions.retentionPreview, resource: teamResource(teamOf(scope)), context: rule };
    return this.pipeline.read(intent, () =>
      this.retention.preview({ scope, tags, keepLast, olderThanSeconds }),
    );
  }

  @Handles(registryRpc.applyRetention)
  @Performs(actions.retentionApply)
  async apply({ scope }: InRetentionScope): Promise<AppliedRetention> {
    const intent = {
      action: actions.retentionApply,
      resource: teamResource(teamOf(scope)),
      context: { scope },
    };
    const grant = await this.pipeline.authorize(intent);
    const rule = await this.rules.find(scope);
    if (rule === null) throw unknown(scope);
    const applied = await this.rounds.applyAtOnce(rule);
    await this.pipeline.recordAlone(grant, { outcome: 'succeeded' });
    return applied;
  }
}

function unknown(scope: string): BerthError {
  return new BerthError('NOT_FOUND', `There is no retention rule of "${scope}".`);
}
