import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { BackupFiles } from './backup-files.js';
import { Backups } from './backups.js';
import { BackupsController } from './backups.controller.js';
import { BackupWork } from './backup-work.js';
import { BackupUpkeep } from './backup-upkeep.js';
import { ResourceOperationEntity } from './operation.entity.js';
import { OperationLedger } from './operation-ledger.js';
import { OperationsService } from './operations.js';
import { OperationWorker } from './operation-worker.js';

@Module({
  imports: [TypeOrmModule.forFeature([ResourceOperationEntity]), EnvironmentsModule, SecretsModule],
  controllers: [BackupsController],
  providers: [
    BackupFiles,
    Backups,
    BackupUpkeep,
    BackupWork,
    OperationLedger,
    OperationsService,
    OperationWorker,
  ],
})
export class BackupsModule {}
