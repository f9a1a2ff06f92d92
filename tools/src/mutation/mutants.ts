/** One check taken out of the code that every action passes. */
export interface Mutant {
  name: string;
  file: string;
  /** Stands in the file once. */
  from: string;
  to: string;
  /** Folders or files with the tests that should notice. */
  specs?: readonly string[];
}

const PIPELINE = 'libs/actions/src/pipeline.ts';
const PORTS = 'libs/actions/src/ports.ts';
const PERFORMS = 'libs/actions/src/performs.ts';
const MEDIATION = 'libs/actions/src/mediation-check.ts';

const INTAKE = 'apps/scheduler/src/deployments/intake.ts';
const RESTART_SPECS = ['apps/scheduler/test/restarts.spec.ts'];
const ROLLOUT_SPECS = ['apps/scheduler/test/deployments.spec.ts'];
const OUTCOME = 'apps/scheduler/src/deployments/outcome-judge.ts';

const GARBAGE_SPECS = ['apps/registry-proxy/test/garbage.spec.ts'];
const FACTS_SPECS = ['apps/registry-proxy/test/facts.spec.ts'];
const STORAGE_QUOTA = 'apps/registry-proxy/src/quota/storage-quota.ts';
const STORAGE_SPECS = ['apps/registry-proxy/test/storage-quota.spec.ts'];
const LEAVE_SPECS = [
  'apps/registry-proxy/test/leaves.spec.ts',
  'apps/registry-proxy/src/leave/short-memory.spec.ts',
];

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'before is not asked',
    file: PIPELINE,
    from: "if (!action.hooks.includes('before')) return grant;",
    to: 'if (action.hooks.length > 0) return grant;',
  },
  {
    name: 'a no of before is not heeded',
    file: PIPELINE,
    from: 'if (decision.allowed) return judged;',
    to: 'if (decision) return judged;',
  },
  {
    name: 'a denial is not recorded',
    file: PIPELINE,
    from: "await this.recordAlone(judged, { outcome: 'denied', code: error.code, reason: reasonOf(decision) });\n    throw error;",
    to: 'throw error;',
  },
  {
    name: 'a failure to ask is not recorded',
    file: PIPELINE,
    from: "await this.recordAlone(grant, { outcome: 'failed', code, reason: message });\n      throw thrown;",
    to: 'throw thrown;',
  },
  {
    name: 'after is not asked',
    file: PIPELINE,
    from: "if (!action.hooks.includes('after')) return null;",
    to: 'if (action.hooks.length > 0) return null;',
  },
  {
    name: 'a no of after is not heeded',
    file: PIPELINE,
    from: 'if (verdict && !verdict.allowed) throw deniedError(action, grant.resource, verdict);',
    to: '',
  },
  {
    name: 'a change does not ask after',
    file: PIPELINE,
    from: 'await this.judgeOrThrow(intent.action, grant, done.outcome);',
    to: '',
  },
  {
    name: 'a change is not recorded',
    file: PIPELINE,
    from: "await this.record(transaction, grant, { outcome: 'succeeded' });",
    to: '',
  },
  {
    name: 'a change that failed is not recorded',
    file: PIPELINE,
    from: 'await this.recordAlone(told, { outcome, code: error.code, reason: error.message });',
    to: '',
  },
  {
    name: 'events are not sent',
    file: PIPELINE,
    from: 'for (const event of done.events ?? []) await this.outbox.event(transaction, event);',
    to: '',
  },
  {
    name: 'a read is not recorded',
    file: PIPELINE,
    from: "this.reads.add(grant, () => this.compose(grant, 'read', { outcome: 'succeeded' }));",
    to: '',
  },
  {
    name: 'what policy allowed outlives a change',
    file: 'apps/registry-proxy/src/leave/short-memory.ts',
    from: 'if (now === null || now !== this.of) return undefined;',
    to: '',
    specs: LEAVE_SPECS,
  },
  {
    name: 'what policy allowed holds for others too',
    file: 'apps/registry-proxy/src/leave/leaves.ts',
    from: '[user, tokenId, action.name, resource.id, context]',
    to: '[action.name, resource.id, context]',
    specs: LEAVE_SPECS,
  },
  {
    name: 'policy is taken to stand where it stood, however silent it is',
    file: 'apps/registry-proxy/src/leave/policy-standing.ts',
    from: 'return performance.now() - this.at < SILENCE_MS ? this.heard : null;',
    to: 'return this.heard;',
    specs: LEAVE_SPECS,
  },
  {
    name: 'what an integrator has a say in is kept',
    file: 'apps/policy/src/decisions/decider.ts',
    from: 'reusable: allowed && !asked,',
    to: 'reusable: allowed,',
    specs: LEAVE_SPECS,
  },
  {
    name: 'a blob is put into the store and taken out without a lock',
    file: 'apps/registry-proxy/src/catalog/blob-filing.ts',
    from: "await transaction.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [digest]);",
    to: '',
    specs: GARBAGE_SPECS,
  },
  {
    name: 'a blob that is asked for by HEAD may go the next moment',
    file: 'apps/registry-proxy/src/catalog/image-catalog.ts',
    from: 'UPDATE blob_links SET linked_at = now() WHERE repository = $1',
    to: 'UPDATE blob_links SET linked_at = linked_at WHERE repository = $1',
    specs: GARBAGE_SPECS,
  },
  {
    name: 'a read goes on without room for its record',
    file: PIPELINE,
    from: 'if (this.reads.hasRoom) return;',
    to: 'if (this.reads) return;',
  },
  {
    name: 'quota that is refused is taken all the same',
    file: PIPELINE,
    from: 'if (reserved) return;',
    to: 'if (limits) return;',
  },
  {
    name: 'a refusal of quota is not recorded',
    file: PIPELINE,
    from: 'await this.recordRefusal(grant, error);',
    to: 'throw error;',
  },
  {
    name: 'facts are not those of the catalog',
    file: PIPELINE,
    from: 'const request = action.context.parse(intent.context) as Record<string, unknown>;',
    to: 'const request = intent.context as Record<string, unknown>;',
  },
  {
    name: 'an action without an actor is done',
    file: PIPELINE,
    from: "if (!actor) throw new BerthError('UNAUTHENTICATED', 'This needs a token: log in with \"berth login\".');\n  return actor;",
    to: "return actor ?? ({ user: 'nobody', tokenId: null } as Principal);",
  },
  {
    name: 'whoever may not know of it is told that it is there',
    file: PIPELINE,
    from: 'if (!decision.visible) return notFound(resource);',
    to: '',
  },
  {
    name: 'no answer of policy is a yes',
    file: PORTS,
    from: "return failClosed('POLICY_UNAVAILABLE', () => this.rpc.call(policyRpc.decide, request));",
    to: "return this.rpc.call(policyRpc.decide, request).catch(() => ({ id: '01900000-0000-7000-8000-000000000009', allowed: true, visible: true, policies: [], advice: [], revision: 0 }));",
  },
  {
    name: 'a handler may go round the pipeline',
    file: PERFORMS,
    from: 'if (currentContext()?.performed.has(action.name)) return result;',
    to: 'if (currentContext()) return result;',
  },
  {
    name: 'a service starts with an open entrance',
    file: MEDIATION,
    from: 'if (open.length === 0) return;',
    to: 'if (open.length >= 0) return;',
  },
  {
    name: 'instances are not asked about before they start',
    file: INTAKE,
    from: 'grant.decisions.push(...(await this.authorizeInstances(environment, prepared, spec)));',
    to: '',
    specs: ROLLOUT_SPECS,
  },
  {
    name: 'instances are not judged as they run',
    file: OUTCOME,
    from: 'await Promise.all([whole(), ...each])',
    to: 'await Promise.all([whole()])',
    specs: ROLLOUT_SPECS,
  },
  {
    name: 'what came up is not heeded',
    file: OUTCOME,
    from: 'if (denials.length === 0) return null;',
    to: 'if (denials.length >= 0) return null;',
    specs: ROLLOUT_SPECS,
  },
  {
    name: 'what is started anew is not judged',
    file: 'apps/scheduler/src/reconciliation/restarts.ts',
    from: 'const newcomers = instances.filter((instance) => !judged.includes(instance.id));',
    to: 'const newcomers = instances.filter((instance) => judged.includes(instance.id));',
    specs: RESTART_SPECS,
  },
  {
    name: 'what is denied goes on running',
    file: 'apps/scheduler/src/reconciliation/restarts.ts',
    from: 'await this.halts.enforce(known);',
    to: 'await Promise.resolve();',
    specs: RESTART_SPECS,
  },
  {
    name: 'after of what was found is not asked',
    file: PIPELINE,
    from: 'await this.judgeFound(intent.action, grant, outcome);',
    to: '',
    specs: FACTS_SPECS,
  },
  {
    name: 'what a pull found is not judged',
    file: 'apps/registry-proxy/src/leave/leaves.ts',
    from: '(await this.judging.run(`${taken.key} ${digest}`, known, judge))',
    to: 'taken.leave.before',
    specs: FACTS_SPECS,
  },
  {
    name: 'a tag beside another is not judged',
    file: 'apps/registry-proxy/src/http/push-routes.ts',
    from: 'await this.pipeline.judgeOrThrow(actions.imagePush, grant, outcome);',
    to: 'void [grant, outcome];',
    specs: FACTS_SPECS,
  },
  {
    name: 'a token is good for more than its scope',
    file: 'apps/registry-proxy/src/http/registry-endpoint.ts',
    from: '!access.allows(repository, action)',
    to: 'false',
    specs: ['apps/registry-proxy/test/login.spec.ts'],
  },
  {
    name: 'one whose asking was refused goes by what another one was told',
    file: 'apps/registry-proxy/src/leave/one-asks.ts',
    from: 'await other.catch(() => undefined);',
    to: 'return (await other) as T;',
    specs: ['apps/registry-proxy/src/leave/one-asks.spec.ts'],
  },
  {
    name: 'what the disk lost on the way is taken for stored',
    file: 'apps/registry-proxy/src/store/file-partial-blob.ts',
    from: 'if (this.#lost !== null) throw this.#lost;',
    to: '',
    specs: ['apps/registry-proxy/src/store/file-blob-store.spec.ts'],
  },
  {
    name: 'storage: a team is not locked while room is held',
    file: STORAGE_QUOTA,
    from: '      await lockTeam(transaction, team);',
    to: '',
    specs: STORAGE_SPECS,
  },
  {
    name: 'storage: room is not held while bytes flow',
    file: STORAGE_QUOTA,
    from: "'UPDATE uploads SET held = $3 WHERE id = $1 AND writer = $2'",
    to: "'SELECT $1::uuid, $2::uuid, $3::bigint'",
    specs: STORAGE_SPECS,
  },
  {
    name: 'storage: mounts and manifests take no room',
    file: STORAGE_QUOTA,
    from: 'if (used + size > bytes)',
    to: 'if (used < 0)',
    specs: STORAGE_SPECS,
  },
];
