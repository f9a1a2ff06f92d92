import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { KeyringModule } from './keyring.module.js';
import { Rekeying } from './rekeying.js';
import { SecretEntity } from './secret.entity.js';
import { SecretsController } from './secrets.controller.js';
import { SecretsService } from './secrets.js';

@Module({
  imports: [TypeOrmModule.forFeature([SecretEntity]), EnvironmentsModule, KeyringModule],
  controllers: [SecretsController],
  providers: [SecretsService, Rekeying],
  exports: [SecretsService],
})
export class SecretsModule {}
