import { Inject, Injectable } from '@nestjs/common';
import { ActionPipeline, type Ending, type Grant } from '@berth/actions';
import { actions, type execRpc } from '@berth/contracts';
import { asBerthError, LOGGER, type Logger } from '@berth/runtime';
import type { z } from 'zod';
import { EnvironmentsService } from '../environments/environments.js';
import { ServicesService } from '../services/services.js';
import type { ExecOutcome } from './exec-session.js';
import { ExecSessions } from './exec-sessions.js';

type Request = z.infer<typeof execRpc.start.request>;
type Answer = z.infer<typeof execRpc.start.response>;

/** Runs commands in instances for whom policy lets, and records that they began and how they ended. */
@Injectable()
export class ExecService {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly services: ServicesService,
    private readonly pipeline: ActionPipeline,
    private readonly sessions: ExecSessions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async start({ project, environment, service, command, terminal, ...request }: Request): Promise<Answer> {
    const found = await this.environments.find(project, environment);
    const [resource] = (await this.services.resources(found, [service])).values();
    const line = command.join(' ');
    const context = { service, program: command[0], command, line, tty: terminal !== null };
    const grant = await this.pipeline.authorize({ action: actions.serviceExec, resource, context });
    try {
      const wanted = { service, instance: request.instance, command, terminal };
      const prepared = await this.sessions.prepare({ project, environment }, wanted);
      const { instance } = prepared;
      const known = { ...grant, request: { ...grant.request, instance } };
      // No record, no command: it does not run yet.
      await this.pipeline.recordAlone(known, { outcome: 'accepted' });
      await this.sessions.run(request.stream, prepared, {
        judge: async (exitCode) => {
          await this.pipeline.judgeOrThrow(actions.serviceExec, known, { instance, exitCode });
        },
        ended: (outcome) => this.record(known, outcome),
      });
      return { instance };
    } catch (thrown) {
      const { code, message } = asBerthError(thrown);
      await this.pipeline.recordAlone(grant, { outcome: 'failed', code, reason: message });
      throw thrown;
    }
  }

  private async record(grant: Grant, outcome: ExecOutcome): Promise<void> {
    const facts = 'exitCode' in outcome ? { exitCode: outcome.exitCode } : {};
    const known = { ...grant, request: { ...grant.request, ...facts } };
    try {
      await this.pipeline.recordAlone(known, endingOf(outcome));
    } catch (error) {
      this.logger.error({ err: error, correlationId: grant.correlationId }, 'exec.end-not-recorded');
    }
  }
}

function endingOf(outcome: ExecOutcome): Ending {
  if ('exitCode' in outcome) return { outcome: 'succeeded', reason: `exit code ${outcome.exitCode}` };
  if ('left' in outcome) return { outcome: 'failed', reason: 'its caller left before it ended' };
  const { code, message } = outcome.error;
  return { outcome: code === 'POLICY_DENIED' ? 'denied' : 'failed', code, reason: message };
}
