import { Global, Module } from '@nestjs/common';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { CONTAINER_ENGINE } from './container-engine.js';
import { SwarmEngine } from './swarm/swarm-engine.js';

/** The one container engine; everyone else knows the interface only. */
@Global()
@Module({
  providers: [
    {
      provide: CONTAINER_ENGINE,
      inject: [SCHEDULER_ENV],
      useFactory: (env: SchedulerEnv) =>
        new SwarmEngine({
          dockerHost: env.DOCKER_HOST,
          installation: env.BERTH_INSTALLATION,
          registry: env.BERTH_REGISTRY,
          token: env.BERTH_ENGINE_TOKEN || null,
        }),
    },
  ],
  exports: [CONTAINER_ENGINE],
})
export class EngineModule {}
