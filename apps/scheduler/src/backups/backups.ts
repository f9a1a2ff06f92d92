import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { BerthError } from '@berth/contracts';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { SecretsService } from '../secrets/secrets.js';
import type { BackupFile } from './backup-files.js';
import { ResourceOperationEntity } from './operation.entity.js';

const KEY_BYTES = 32;
/** A key is made once, with its backup. */
const VERSION = 1;

/** Which backups there are, and the keys that they are encrypted with: secrets of their environment, wrapped like all. */
@Injectable()
export class Backups {
  constructor(
    @InjectRepository(ResourceOperationEntity)
    private readonly operations: Repository<ResourceOperationEntity>,
    private readonly secrets: SecretsService,
  ) {}

  async makeKey(environment: EnvironmentEntity, by: string, id: string): Promise<void> {
    const name = keyName(id);
    await this.secrets.keep(environment, by, () => ({ [name]: randomBytes(KEY_BYTES) }), [name]);
  }

  forgetKey(environment: EnvironmentEntity, id: string): Promise<void> {
    return this.secrets.forget(environment.id, [keyName(id)], VERSION);
  }

  async file({ environmentId, id }: { environmentId: string; id: string }): Promise<BackupFile> {
    return { environmentId, id, key: await this.secrets.read(environmentId, keyName(id), VERSION) };
  }

  /** A backup of a resource that can be restored. Throws NOT_FOUND. */
  async find(environmentId: string, resource: string, id: string): Promise<ResourceOperationEntity> {
    const backup = await this.operations.findOneBy({
      ...{ id, environmentId, resource, kind: 'backup' as const, status: 'succeeded' as const },
    });
    if (backup) return backup;
    throw new BerthError(
      'NOT_FOUND',
      `"${resource}" has no backup ${id} that succeeded. "berth resource backups ${resource}" lists them.`,
    );
  }

  /** What a restore is to bring back. */
  async restored({
    environmentId,
    resource,
    backup,
  }: ResourceOperationEntity): Promise<{ file: BackupFile; fingerprint: string }> {
    const { id, fingerprint } = await this.find(environmentId, resource, backup ?? '');
    return { file: await this.file({ environmentId, id }), fingerprint: fingerprint ?? '' };
  }
}

function keyName(id: string): string {
  return `backup.${id}`;
}
