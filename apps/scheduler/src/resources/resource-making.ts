import { Injectable } from '@nestjs/common';
import type { Grant } from '@berth/actions';
import { BerthError } from '@berth/contracts';
import type { ReleasedImage, RunSpec } from '../compose/index.js';
import { Images } from '../deployments/images.js';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { EnvironmentsService } from '../environments/environments.js';
import { RunSpecs } from '../environments/run-specs.js';
import { Catalog, noEntry } from './catalog.js';
import { parseEntry, readEntry, type EntryFile } from './catalog-entry.js';
import { Credentials, type Kept } from './credentials.js';
import type { DeclaredResource } from './declared-resource.js';
import { entryService } from './entry-service.js';

export interface FoundEntry {
  file: string;
  entry: EntryFile;
}

export interface WantedResource {
  name: string;
  /** Of the catalog. */
  entry: string;
  wanted: string;
  found: FoundEntry | null;
}

/** What a resource is made from: an entry of the catalog, an image, and credentials. */
@Injectable()
export class ResourceMaking {
  constructor(
    private readonly environments: EnvironmentsService,
    private readonly specs: RunSpecs,
    private readonly catalog: Catalog,
    private readonly images: Images,
    readonly credentials: Credentials,
  ) {}

  environment(project: string, name: string): Promise<EnvironmentEntity> {
    return this.environments.find(project, name);
  }

  running(environment: EnvironmentEntity): Promise<RunSpec | null> {
    return this.specs.of(environment.deployment);
  }

  async entry({ team }: EnvironmentEntity, name: string): Promise<FoundEntry | null> {
    const found = await this.catalog.find(team, name);
    return found && { file: found.file, entry: readEntry(name, found.file) };
  }

  /** Throws NOT_FOUND for an entry or version that there is not, and what the registry-proxy says of the image. */
  async declare(
    environment: EnvironmentEntity,
    { actor }: Grant,
    { name, entry, wanted: version, found }: WantedResource,
  ): Promise<{ declared: DeclaredResource; kept: Kept }> {
    if (!found) throw noEntry(entry);
    if (!found.entry.versions.includes(version))
      throw new BerthError(
        'NOT_FOUND',
        `The entry "${entry}" has no version "${version}". It has: ${found.entry.versions.join(', ')}.`,
      );
    const image = await this.image(name, found.file, entry, version);
    const secrets = await this.credentials.own(environment, actor.user, name, found.entry);
    const kept = await this.credentials.next(environment, actor.user, name, found.entry);
    const declared = {
      ...{ entry, file: found.file, version, image, credential: kept.version, secrets },
      ...{ addedBy: actor.user, addedAt: new Date().toISOString() },
    };
    return { declared, kept };
  }

  async image(name: string, file: string, entry: string, version: string): Promise<ReleasedImage> {
    const { service, volumes } = entryService(name, parseEntry(entry, file), version);
    return (await this.images.resolve({ services: { [name]: service }, volumes }))[name];
  }
}
