import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ActionsModule, checkMediation, POLICY_PORT } from '@berth/actions';
import { MessagingModule, serveRpc } from '@berth/messaging';
import { DatabaseModule, RuntimeModule, type ServiceOptions } from '@berth/runtime';
import { LocalPolicy } from './decisions/decider.js';
import { DecisionsModule } from './decisions/decisions.module.js';
import { POLICY_ENV, type PolicyEnv } from './env.js';
import { ExceptionsModule } from './exceptions/exceptions.module.js';
import { PolicyExceptionEntity } from './exceptions/policy-exception.entity.js';
import { HooksModule } from './hooks/hooks.module.js';
import { PolicyHookEntity } from './hooks/policy-hook.entity.js';
import { IdentityModule } from './identity/identity.module.js';
import { MemberEntity, TeamEntity } from './identity/team.entity.js';
import { TokenEntity } from './identity/token.entity.js';
import { UserEntity } from './identity/user.entity.js';
import { LibraryModule } from './library/library.module.js';
import { LoginModule } from './login/login.module.js';
import { migrations } from './migrations/index.js';
import { PoliciesModule } from './policies/policies.module.js';
import { PolicyEntity } from './policies/policy.entity.js';
import { PolicyVersionEntity } from './policies/policy-version.entity.js';
import { SimulationModule } from './simulation/simulation.module.js';

const entities = [
  UserEntity,
  TeamEntity,
  MemberEntity,
  TokenEntity,
  PolicyEntity,
  PolicyVersionEntity,
  PolicyExceptionEntity,
  PolicyHookEntity,
];

/** Who may do what: identities, policies, and every decision. It asks itself about its own actions. */
@Global()
@Module({})
export class AppModule {
  static forEnv(env: PolicyEnv): DynamicModule {
    return {
      module: AppModule,
      imports: [
        RuntimeModule.forService('policy', env),
        DatabaseModule.forService({ service: 'policy', env, entities, migrations }),
        MessagingModule.forService({ service: 'policy', env, outbox: true }),
        ActionsModule.forService({
          imports: [DecisionsModule],
          policy: { provide: POLICY_PORT, useExisting: LocalPolicy },
        }),
        DecisionsModule,
        PoliciesModule,
        ExceptionsModule,
        HooksModule,
        LibraryModule,
        SimulationModule,
        IdentityModule,
        LoginModule,
      ],
      providers: [{ provide: POLICY_ENV, useValue: env }],
      exports: [POLICY_ENV],
    };
  }
}

/** The service as `startService` and tests start it. */
export function policyService(env: PolicyEnv): ServiceOptions {
  return { name: 'policy', module: AppModule.forEnv(env), env, prepare: [checkMediation, serveRpc] };
}
