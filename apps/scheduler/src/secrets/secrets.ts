import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, IsNull, Not, type EntityManager, type Repository } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, notFound, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  positionOf,
  secretRemovedEvent,
  secretSetEvent,
  toPage,
  type Page,
  type Secret,
  type secretRpc,
} from '@berth/contracts';
import { draftEvent, type EventDraft } from '@berth/messaging';
import { environmentResource, type EnvironmentEntity } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { open, seal } from './envelope.js';
import { Keyring } from './keyring.js';
import { SecretEntity, toSecret, type KnownSecret } from './secret.entity.js';
import { servicesGiven } from './secret-use.js';

type Set = z.infer<typeof secretRpc.set.request>;
type Remove = z.infer<typeof secretRpc.remove.request>;
type List = z.infer<typeof secretRpc.list.request>;

/** The last version of each secret that has a value. */
const LATEST = `
  SELECT name, version, created_by AS "createdBy", created_at AS "createdAt"
  FROM (
    SELECT DISTINCT ON (name) * FROM secrets WHERE environment_id = $1 ORDER BY name, version DESC
  ) AS last
  WHERE key_id IS NOT NULL`;

/** Secrets of environments: encrypted where they lie, and told to nobody but the engine. */
@Injectable()
export class SecretsService {
  constructor(
    @InjectRepository(SecretEntity) private readonly secrets: Repository<SecretEntity>,
    private readonly environments: EnvironmentsService,
    private readonly pipeline: ActionPipeline,
    @Inject(Keyring) private readonly keyring: Keyring,
  ) {}

  /** Gives a secret its next version. */
  async set({ project, environment: where, name, value: base64 }: Set): Promise<Secret> {
    const environment = await this.environments.find(project, where);
    const value = Buffer.from(base64, 'base64');
    const intent = {
      action: actions.secretSet,
      resource: environmentResource(environment),
      context: { name, size: value.length },
    };
    const createdBy = requireActor().user;
    return this.pipeline.change(intent, async (tx) => {
      await lock(tx, environment);
      const version = (await lastVersion(tx, environment.id, name)) + 1;
      const place = { environmentId: environment.id, name, version };
      await tx.insert(SecretEntity, { ...place, ...seal(this.keyring, place, value), createdBy });
      const made = await tx.findOneByOrFail(SecretEntity, place);
      return {
        result: toSecret(made),
        outcome: {},
        events: [tell(secretSetEvent, environment, name, version)],
      };
    });
  }

  /** Removes all versions. Throws NOT_FOUND, or SECRET_IN_USE while what runs or is being rolled out is given it. */
  async remove({ project, environment: where, name }: Remove): Promise<Record<string, never>> {
    const environment = await this.environments.find(project, where);
    const resource = environmentResource(environment);
    const intent = { action: actions.secretRemove, resource, context: { name } };
    return this.pipeline.change(intent, async (tx) => {
      await lock(tx, environment);
      const [found]: KnownSecret[] = await tx.query(`${LATEST} AND name = $2`, [environment.id, name]);
      if (!found) throw new BerthError('NOT_FOUND', `There is no secret "${name}" in "${resource.id}".`);
      const services = await servicesGiven(tx, environment.id, name);
      if (services.length > 0) throw inUse(name, resource.id, services);
      await tx.update(
        SecretEntity,
        { environmentId: environment.id, name },
        { wrappedKey: null, nonce: null, ciphertext: null, keyId: null },
      );
      return {
        result: {},
        outcome: {},
        events: [tell(secretRemovedEvent, environment, name, found.version)],
      };
    });
  }

  async list({ project, environment: where, limit, cursor }: List): Promise<Page<Secret>> {
    const environment = await this.environments.find(project, where);
    const resource = environmentResource(environment);
    return this.pipeline.read({ action: actions.secretList, resource, context: {} }, async () => {
      const found: KnownSecret[] = await this.secrets.query(
        // What has a dot in its name belongs to a resource, and is nobody's to set.
        `${LATEST} AND name > $2 AND position('.' IN name) = 0 ORDER BY name LIMIT $3`,
        [environment.id, positionOf(cursor, 'name'), limit + 1],
      );
      return toPage(found, limit, toSecret, ({ name }) => ({ name }));
    });
  }

  /**
   * Keeps values for the platform's own use, all as one version, which it answers. Part of an action that was allowed.
   * Their names hold a dot, so that no request can name them.
   */
  async keep(
    environment: EnvironmentEntity,
    createdBy: string,
    make: (version: number) => Readonly<Record<string, Buffer>>,
    names: readonly string[],
  ): Promise<number> {
    return this.secrets.manager.transaction(async (tx) => {
      await lock(tx, environment);
      const last = await Promise.all(names.map((name) => lastVersion(tx, environment.id, name)));
      const version = Math.max(0, ...last) + 1;
      for (const [name, value] of Object.entries(make(version))) {
        const place = { environmentId: environment.id, name, version };
        await tx.insert(SecretEntity, { ...place, ...seal(this.keyring, place, value), createdBy });
      }
      return version;
    });
  }

  /** Forgets values that were kept, and not used after all. */
  async forget(environmentId: string, names: readonly string[], version: number): Promise<void> {
    await this.secrets.delete({ environmentId, name: In([...names]), version });
  }

  /**
   * The same, unless they are used by now. `isUsed` is asked once what was about to use them is over, for that holds the
   * environment too: a commit whose answer was lost may take place all the same.
   */
  async forgetUnused(
    environment: EnvironmentEntity,
    { names, version }: { names: readonly string[]; version: number },
    isUsed: (tx: EntityManager) => Promise<boolean>,
  ): Promise<void> {
    await this.secrets.manager.transaction(async (tx) => {
      await lock(tx, environment);
      if (await isUsed(tx)) return;
      await tx.delete(SecretEntity, { environmentId: environment.id, name: In([...names]), version });
    });
  }

  /** The last version of each secret of an environment, by name. */
  async latest(environmentId: string): Promise<Record<string, number>> {
    const found: KnownSecret[] = await this.secrets.query(LATEST, [environmentId]);
    return Object.fromEntries(found.map(({ name, version }) => [name, version]));
  }

  /**
   * The value, for the engine and nobody else. Throws SECRET_NOT_FOUND when there is no such version, or not any more, and
   * INTERNAL when what is stored does not decrypt.
   */
  async read(environmentId: string, name: string, version: number): Promise<Buffer> {
    const place = { environmentId, name, version };
    const row = await this.secrets.findOneBy({ ...place, keyId: Not(IsNull()) });
    if (!row?.wrappedKey || !row.nonce || !row.ciphertext || !row.keyId) {
      const detail = `The secret "${name}" has no version ${version} any more. Set it again: berth secret set ${name}`;
      throw new BerthError('SECRET_NOT_FOUND', detail, { secret: name });
    }
    const { wrappedKey, nonce, ciphertext, keyId } = row;
    try {
      return open(this.keyring, place, { wrappedKey, nonce, ciphertext, keyId });
    } catch (cause) {
      const detail = `The secret "${name}" (version ${version}) does not decrypt: what is stored was changed, or its key is another one. Set it again: berth secret set ${name}`;
      throw new BerthError('INTERNAL', detail, { secret: name }, { cause });
    }
  }
}

/** One change of an environment's secrets at a time, and none while a deployment is taken in. */
async function lock(tx: EntityManager, environment: EnvironmentEntity): Promise<void> {
  const found: unknown[] = await tx.query('SELECT FROM environments WHERE id = $1 FOR NO KEY UPDATE', [
    environment.id,
  ]);
  if (found.length === 0) throw notFound(environmentResource(environment));
}

/** 0 when there was none. Removed ones count: no number comes to mean another value. */
async function lastVersion(tx: EntityManager, environmentId: string, name: string): Promise<number> {
  return (await tx.maximum(SecretEntity, 'version', { environmentId, name })) ?? 0;
}

function tell(
  event: typeof secretSetEvent | typeof secretRemovedEvent,
  { team, project, name: environment }: EnvironmentEntity,
  name: string,
  version: number,
): EventDraft {
  return draftEvent(event, { team, project, environment }, { project, environment, name, version });
}

function inUse(name: string, where: string, services: string[]): BerthError {
  const whom = services.map((service) => `"${service}"`).join(', ');
  return new BerthError(
    'SECRET_IN_USE',
    `The secret "${name}" of "${where}" is given to ${whom}. Deploy without it first.`,
    { secret: name, services },
  );
}
