import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
import { BerthError } from '@berth/contracts';
import type { RunResource, RunSpec } from '../compose/index.js';
import { CONTAINER_ENGINE, type ContainerEngine, type Rollout } from '../engine/container-engine.js';
import { RunSpecs } from '../environments/run-specs.js';
import { addUsers, commandEnvironment } from '../resources/users.js';
import { SecretsService } from '../secrets/secrets.js';
import { nowhere } from '../nowhere.js';
import { BackupFiles, type BackupFile } from './backup-files.js';
import { Fingerprint } from './fingerprint.js';
import type { ResourceOperationEntity } from './operation.entity.js';
import { scratchOf } from './scratch.js';

/** How long an empty resource may take to come up. */
const UP_MS = 5 * 60_000;

/** How an operation goes on: whether it still may, and whom to tell what is being done. */
export interface Course {
  signal: AbortSignal;
  tell: (step: string) => Promise<void>;
}

export interface Dump {
  bytes: number;
  fingerprint: string;
}

/** Makes backups and restores them. Whoever takes an operation over does it again from its beginning. */
@Injectable()
export class BackupWork {
  constructor(
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
    private readonly specs: RunSpecs,
    private readonly secrets: SecretsService,
    private readonly files: BackupFiles,
  ) {}

  /**
   * Dumps a resource, restores the dump into an empty one, and dumps that: a backup is one whose restore holds the same.
   * Throws what is wrong, for a person; then there is no file.
   */
  async backUp(operation: ResourceOperationEntity, file: BackupFile, course: Course): Promise<Dump> {
    const { rollout, resource } = await this.running(operation);
    await course.tell('dumping');
    let dump: Dump | undefined;
    await this.files.write(file, async (output) => {
      dump = await this.dump(rollout, resource, output, course.signal);
    });
    if (!dump) throw new Error('nothing was dumped');
    try {
      const again = await this.tryOut(operation, rollout, resource, file, course);
      if (again.fingerprint === dump.fingerprint) return dump;
      throw new BerthError(
        'CONFLICT',
        `What came of restoring it is not the same: it was ${dump.fingerprint}, and is ${again.fingerprint}.`,
      );
    } catch (error) {
      await this.files.remove(file);
      throw error;
    }
  }

  /** Puts a backup in place of what the resource holds, and compares. */
  async restore(
    operation: ResourceOperationEntity,
    backup: { file: BackupFile; fingerprint: string },
    course: Course,
  ): Promise<Dump> {
    const { rollout, resource } = await this.running(operation);
    const input = await this.files.read(backup.file);
    await course.tell('restoring');
    await this.put(rollout, resource, input, course.signal);
    await addUsers(this.engine, rollout, [resource]);
    await course.tell('comparing');
    const held = await this.dump(rollout, resource, nowhere(), course.signal);
    if (held.fingerprint === backup.fingerprint) return held;
    throw new BerthError(
      'CONFLICT',
      `It was restored, but now holds something else (${held.fingerprint}, not ${backup.fingerprint}). Did a service write to it meanwhile?`,
    );
  }

  private async tryOut(
    operation: ResourceOperationEntity,
    { spec }: Rollout,
    resource: RunResource,
    file: BackupFile,
    { signal, tell }: Course,
  ): Promise<Dump> {
    const target = scratchOf(operation);
    const scratch = this.rolloutOf(operation, target, alone(spec, resource));
    await tell('restoring it elsewhere');
    try {
      const outcome = await this.engine.rollOut(scratch, {
        ...{ deadline: new Date(Date.now() + UP_MS), signal, progress: () => undefined },
      });
      if (outcome.state === 'failed')
        throw new BerthError(
          'CONFLICT',
          `An empty "${resource.name}" to try it on did not come up: ${outcome.reason}`,
        );
      await addUsers(this.engine, scratch, [resource]);
      await this.put(scratch, resource, await this.files.read(file), signal);
      await tell('comparing');
      return await this.dump(scratch, resource, nowhere(), signal);
    } finally {
      await this.engine.remove(target, { network: true, volumes: true });
    }
  }

  private async dump(
    rollout: Rollout,
    resource: RunResource,
    output: Writable,
    signal: AbortSignal,
  ): Promise<Dump> {
    const fingerprint = new Fingerprint(resource.volatileLines);
    const piped = pipeline(fingerprint, output);
    const [errors] = await Promise.all([
      this.run(rollout, resource, 'backup', { output: fingerprint, signal }),
      piped,
    ]);
    return { bytes: fingerprint.bytes, fingerprint: fingerprint.result(errors) };
  }

  private async put(
    rollout: Rollout,
    resource: RunResource,
    input: Readable,
    signal: AbortSignal,
  ): Promise<void> {
    await this.run(rollout, resource, 'restore', { input, signal });
    if (!resource.restartToRestore) return;
    const deadline = new Date(Date.now() + UP_MS);
    await this.engine.renew(rollout.target, resource.name, { deadline, signal });
  }

  /** Answers what the command said on stderr. Throws that when it failed. */
  private async run(
    rollout: Rollout,
    resource: RunResource,
    command: 'backup' | 'restore',
    streams: { input?: Readable; output?: Writable; signal: AbortSignal },
  ): Promise<string> {
    const script = resource.commands[command];
    if (script === undefined)
      throw new BerthError('CONFLICT', `The entry "${resource.entry}" knows no ${command}.`);
    const environment = await commandEnvironment(rollout, resource);
    const service = resource.name;
    const { exitCode, errors } = await this.engine.command(rollout.target, {
      ...{ service, script, environment },
      ...streams,
    });
    if (exitCode !== 0)
      throw new BerthError('CONFLICT', `The ${command} command failed: ${errors || `exit code ${exitCode}`}`);
    return errors;
  }

  private async running(
    operation: ResourceOperationEntity,
  ): Promise<{ rollout: Rollout; resource: RunResource }> {
    const { project, environment, resource: name } = operation;
    const spec = await this.specs.running(operation.environmentId);
    const resource = spec?.resources[name];
    if (!spec || !resource)
      throw new BerthError('CONFLICT', `The resource "${name}" does not run in "${project}.${environment}".`);
    return { rollout: this.rolloutOf(operation, { project, environment }, spec), resource };
  }

  private rolloutOf(
    { id, environmentId }: ResourceOperationEntity,
    target: Rollout['target'],
    spec: RunSpec,
  ): Rollout {
    const secret = (name: string, version: number): Promise<Buffer> =>
      this.secrets.read(environmentId, name, version);
    return { target, deployment: id, release: 'none', spec, secret };
  }
}

/** A resource as it runs, without anything else. */
function alone(spec: RunSpec, resource: RunResource): RunSpec {
  const { name } = resource;
  const service = spec.services[name];
  const volumes = new Set(service.volumes.map(({ volume }) => volume));
  const secrets = new Set(service.secrets.map(({ secret }) => secret));
  return {
    services: { [name]: { ...service, ports: [], dependsOn: {} } },
    volumes: Object.fromEntries(Object.entries(spec.volumes).filter(([volume]) => volumes.has(volume))),
    secrets: Object.fromEntries(Object.entries(spec.secrets).filter(([secret]) => secrets.has(secret))),
    resources: { [name]: resource },
  };
}
