import { Inject, Injectable } from '@nestjs/common';
import { BerthError } from '@berth/contracts';
import { readCompose, releaseDigest, render } from '../compose/index.js';
import type { ComposeSpec, PinnedImage, ReleaseSpec, RunSpec } from '../compose/index.js';
import { toRunSettings, type Settings } from '../environments/configuration.entity.js';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { refuseHostsBelow } from '../ingress/hosts.js';
import { versionsFor } from '../secrets/secret-use.js';
import { SecretsService } from '../secrets/secrets.js';
import { checkHealthConditions, Images } from './images.js';

/** What a deployment is made from: a Compose file, which makes a release, or a release that is there. */
export type Source =
  { compose: string; images?: Readonly<Record<string, string>> } | { digest: string; release: ReleaseSpec };

export interface Prepared {
  /** Of the release. */
  digest: string;
  release: ReleaseSpec;
  spec: RunSpec;
  /** Of all that is to run, by service: those of the release, and of the environment's resources. */
  images: Record<string, PinnedImage & { user: string }>;
  /** What a person should know, though it is no error. */
  warnings: string[];
}

/** Makes of a source what is to run under an environment's settings. Changes nothing. */
@Injectable()
export class Preparation {
  constructor(
    private readonly images: Images,
    private readonly secrets: SecretsService,
    @Inject(SCHEDULER_ENV) private readonly env: SchedulerEnv,
  ) {}

  /** Throws what `readCompose` does, what the registry-proxy says of an image, and SECRET_NOT_FOUND. */
  async prepare(
    source: Source,
    settings: Settings,
    environment: Pick<EnvironmentEntity, 'id' | 'project' | 'name'>,
  ): Promise<Prepared> {
    const latest = await this.secrets.latest(environment.id);
    const versions = (spec: Pick<ComposeSpec, 'services'>): Record<string, number> =>
      versionsFor(spec, latest, environment);
    const release = 'compose' in source ? await this.release(source, settings, versions) : source.release;
    const digest = 'compose' in source ? releaseDigest(release) : source.digest;
    const runSettings = toRunSettings(settings);
    const { spec, warnings } = render(release, runSettings);
    checkHealthConditions(spec, release.images);
    refuseHostsBelow(this.env.BERTH_INGRESS_DOMAIN, spec);
    // The resources' own are there already: theirs are those of their credentials, which may not be the last.
    spec.secrets = { ...versions(spec), ...spec.secrets };
    const backings = Object.entries(runSettings.backings).map(([name, { image }]) => [name, image] as const);
    const images = { ...release.images, ...Object.fromEntries(backings) };
    return { digest, release, spec, images, warnings };
  }

  /** The images are those that the environment's variables name: from here on they are the release's. */
  private async release(
    { compose, images: built }: Extract<Source, { compose: string }>,
    { variables }: Settings,
    check: (spec: ComposeSpec) => unknown,
  ): Promise<ReleaseSpec> {
    const { spec } = readCompose(compose, variables, built);
    refuseOthers(spec, built);
    // Before the images, which may take long to find.
    check(spec);
    return { compose, images: await this.images.resolve(spec) };
  }
}

function refuseOthers({ services }: ComposeSpec, built: Readonly<Record<string, string>> = {}): void {
  const odd = Object.keys(built).find((name) => !Object.hasOwn(services, name));
  if (odd === undefined) return;
  const message = `there is no service "${odd}" for the image that was built`;
  throw new BerthError('VALIDATION_FAILED', message, { fields: [{ path: `images.${odd}`, message }] });
}
