import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { BerthError, type AssessedQuestion, type Assessment, type policyRpc } from '@berth/contracts';
import { verdictOn } from '../decisions/verdict.js';
import { PrincipalReader } from '../identity/principal-reader.js';
import { LivePolicies } from '../policies/live-policies.js';
import { Questions } from './questions.js';

type Asked = z.output<typeof policyRpc.assess.request>;

/** Live decisions wait no longer than for so many. */
const SLICE = 25;

/** Says what the policies in force would say, without anything coming of it: no hook is asked, no decision is kept. */
@Injectable()
export class Assessor {
  constructor(
    private readonly principals: PrincipalReader,
    private readonly policies: LivePolicies,
    private readonly questions: Questions,
  ) {}

  /** In the order of the questions. Throws VALIDATION_FAILED for what no policy can be asked. */
  async assess({ questions }: Asked): Promise<{ assessments: Assessment[] }> {
    const time = new Date();
    const questionOf = this.questions.cached();
    const { revision } = await this.principals.read('', null);
    await this.policies.atLeast(revision);
    const assessments: Assessment[] = [];
    for (const asked of questions) {
      if (assessments.length % SLICE === SLICE - 1) await nextTurn();
      const question = await questionOf({ ...asked, time });
      assessments.push(
        question ? verdictOn(question, this.policies.current, this.policies) : await this.unasked(asked),
      );
    }
    return { assessments };
  }

  private async unasked({ action, hook, principal }: AssessedQuestion): Promise<Assessment> {
    const { subject } = await this.principals.read(principal, null);
    if (subject) throw new BerthError('VALIDATION_FAILED', `${action}.${hook} cannot be asked like this.`);
    const message = `There is no user "${principal}" any more.`;
    return { allowed: false, policies: [{ id: 'principal-unknown', message }], advice: [] };
  }
}
