import { Module } from '@nestjs/common';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { Keyring } from './keyring.js';

/** The keys that wrap what is encrypted at rest. */
@Module({
  providers: [
    {
      provide: Keyring,
      inject: [SCHEDULER_ENV],
      useFactory: ({ BERTH_SECRETS_KEY, BERTH_SECRETS_OLD_KEYS }: SchedulerEnv) =>
        new Keyring(BERTH_SECRETS_KEY, BERTH_SECRETS_OLD_KEYS),
    },
  ],
  exports: [Keyring],
})
export class KeyringModule {}
