import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { Keyring } from './keyring.js';
import { Rekeying } from './rekeying.js';
import { SecretEntity } from './secret.entity.js';
import { SecretsController } from './secrets.controller.js';
import { SecretsService } from './secrets.js';

@Module({
  imports: [TypeOrmModule.forFeature([SecretEntity]), EnvironmentsModule],
  controllers: [SecretsController],
  providers: [
    SecretsService,
    Rekeying,
    {
      provide: Keyring,
      inject: [SCHEDULER_ENV],
      useFactory: ({ BERTH_SECRETS_KEY, BERTH_SECRETS_OLD_KEYS }: SchedulerEnv) =>
        new Keyring(BERTH_SECRETS_KEY, BERTH_SECRETS_OLD_KEYS),
    },
  ],
  exports: [SecretsService],
})
export class SecretsModule {}
