import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ActionPipeline } from '@berth/actions';
import { actions, BerthError, type policyRpc, type PolicyTestReport, PLATFORM } from '@berth/contracts';
import type { CompiledPolicy } from '../cedar/policy-compiler.js';
import { TrialCompiler } from '../cedar/trial-compiler.js';
import { EVERYWHERE } from '../policies/bound-policies.js';
import { type CompiledPlaces, PlacesReader } from '../policies/places.js';
import { PolicyJudge } from '../simulation/policy-judge.js';
import { runCases } from './case-runner.js';

type Asked = z.output<typeof policyRpc.testPolicies.request>;

/** What forbids are tried beside: without a permit nothing is ever allowed. */
const PERMIT_ALL = 'permit-all';

/** Tries policies that are not in force with cases that come beside them. */
@Injectable()
export class PolicyTests {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly live: PlacesReader,
    private readonly trials: TrialCompiler,
  ) {}

  run({ policies, cases, live }: Asked): Promise<PolicyTestReport> {
    const intent = { action: actions.policyTest, resource: PLATFORM, context: {} };
    return this.pipeline.read(intent, async () => {
      const places = await this.places(policies, live);
      return runCases(new PolicyJudge(places), cases);
    });
  }

  private async places(given: Asked['policies'], live: boolean): Promise<CompiledPlaces> {
    const compiled = new Map<string, CompiledPolicy>();
    for (const { id, text } of given) {
      if (compiled.has(id))
        throw new BerthError('VALIDATION_FAILED', `Two of the policies are called "${id}".`);
      compiled.set(id, await this.trials.compile(id, text));
    }
    if (!live && [...compiled.values()].every(({ effect }) => effect === 'forbid')) {
      compiled.set(
        PERMIT_ALL,
        await this.trials.compile(PERMIT_ALL, 'permit (principal, action, resource);'),
      );
    }
    const none = { policies: new Map(), bindings: new Map(), exceptions: [], broken: new Map() };
    const set: CompiledPlaces = live ? await this.live.read() : none;
    const bindings = new Map(set.bindings);
    for (const id of compiled.keys()) bindings.set(id, bindings.get(id) ?? EVERYWHERE);
    const broken = new Map([...set.broken].filter(([id]) => !compiled.has(id)));
    return { ...set, policies: new Map([...set.policies, ...compiled]), bindings, broken };
  }
}
