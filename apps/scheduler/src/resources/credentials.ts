import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { SecretsService } from '../secrets/secrets.js';
import type { EntryFile } from './catalog-entry.js';
import { credentialSecrets } from './declared-resource.js';
import { ownSecret } from './entry-service.js';

/** Random bytes of a password; as hexadecimal digits it needs no quoting, wherever it is put. */
const PASSWORD_BYTES = 24;

/** Secrets with their version, which are not used by anything yet. */
export interface Kept {
  names: string[];
  version: number;
}

/** Makes what resources are opened with. Nobody is ever told but the engine. */
@Injectable()
export class Credentials {
  constructor(private readonly secrets: SecretsService) {}

  /** A new user and password, with all that is made of them. */
  async next(environment: EnvironmentEntity, by: string, resource: string, entry: EntryFile): Promise<Kept> {
    const password = newPassword();
    const names = Object.keys(credentialSecrets(resource, entry, 1, password));
    const make = (version: number): Record<string, Buffer> =>
      Object.fromEntries(
        Object.entries(credentialSecrets(resource, entry, version, password)).map(([name, value]) => [
          name,
          Buffer.from(value),
        ]),
      );
    return { names, version: await this.secrets.keep(environment, by, make, names) };
  }

  /**
   * The versions of the secrets of the resource itself, by their names in the entry. What was made once is kept: the
   * data of a resource that was removed still knows it.
   */
  async own(
    environment: EnvironmentEntity,
    by: string,
    resource: string,
    { secrets }: EntryFile,
  ): Promise<Record<string, number>> {
    const latest = await this.secrets.latest(environment.id);
    const versions: Record<string, number> = {};
    for (const secret of secrets) {
      const name = ownSecret(resource, secret);
      const make = (): Record<string, Buffer> => ({ [name]: Buffer.from(newPassword()) });
      versions[secret] = latest[name] ?? (await this.secrets.keep(environment, by, make, [name]));
    }
    return versions;
  }

  /** What was made for a change that was refused; nothing of one that was written down all the same. */
  forget(environment: EnvironmentEntity, resource: string, kept: Kept): Promise<void> {
    return this.secrets.forgetUnused(environment, kept, async (tx) => {
      const found: unknown[] = await tx.query(
        `SELECT FROM configurations
         WHERE environment_id = $1 AND (resources -> $2 ->> 'credential')::int = $3 LIMIT 1`,
        [environment.id, resource, kept.version],
      );
      return found.length > 0;
    });
  }
}

function newPassword(): string {
  return randomBytes(PASSWORD_BYTES).toString('hex');
}
