import { policyRpc, type Principal } from '@berth/contracts';
import { eventually } from '@berth/testing';
import type { Evaluation, EvaluationRequest } from '../src/cedar/evaluator.js';
import { LivePolicies } from '../src/policies/live-policies.js';
import { PolicyService } from './policy-service.js';

const shop = { type: 'Project', id: 'shop', team: 'acme', project: 'shop' } as const;
const read = { action: 'project.read', resource: shop };

describe('a decision that two evaluators do not agree about', () => {
  let service: PolicyService;
  let sam: Principal;
  beforeAll(async () => {
    service = await PolicyService.start();
    const admin = await service.admin();
    await service.call(policyRpc.createTeam, { name: 'acme' }, admin);
    sam = (await service.person('sam')).principal;
  });
  afterAll(() => service.stop());

  it('is denied, told of in an event and counted; the next one is decided as ever', async () => {
    const heard = service.hear('decision.disputed.v1');
    expect(await service.decide(sam, read)).toMatchObject({
      allowed: false,
      policies: [{ id: 'default-deny' }],
    });

    const live: unknown = service.instance.get(LivePolicies, { strict: false });
    const { deciding } = (live as Live).enforcing;
    const honest = deciding.decide.bind(deciding);
    deciding.decide = () => ({ allowed: true, determining: ['admins'], errors: [] });
    const { id, allowed, policies } = await service.decide(sam, read);
    deciding.decide = honest;
    expect([allowed, policies]).toEqual([false, [expect.objectContaining({ id: 'decision-disputed' })]]);
    await eventually(() =>
      expect(heard).toEqual([
        expect.objectContaining({
          type: 'decision.disputed.v1',
          data: {
            ...{ decision: id, revision: 1, action: 'project.read', hook: 'before' },
            resource: { type: 'Project', id: 'shop' },
            decided: { allowed: true, policies: ['admins'], errors: [] },
            expected: { allowed: false, policies: [], errors: [] },
          },
        }),
      ]),
    );
    expect(await service.decide(sam, read)).toMatchObject({ policies: [{ id: 'default-deny' }] });
    expect(heard).toHaveLength(1);
  });
});

interface Live {
  enforcing: { deciding: { decide(request: EvaluationRequest): Evaluation } };
}
