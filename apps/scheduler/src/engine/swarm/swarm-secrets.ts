import type Docker from 'dockerode';
import type { EnvironmentRef, Rollout } from '../container-engine.js';
import { callEngine, engineMessage, hasStatus, orUndefined } from './docker-client.js';
import { environmentLabels, LABEL, labelFilter } from './labels.js';
import { secretName } from './names.js';
import type { HeldSecret } from './service-template.js';

interface SwarmSecret {
  ID: string;
  Spec: { Name: string; Labels?: Record<string, string> };
}

/** Secrets of environments in the swarm: each version is one that never changes. */
export class SwarmSecrets {
  constructor(
    private readonly docker: Docker,
    private readonly installation: string,
  ) {}

  /** Those that a service is given, by name; made where they are not there. */
  async hold(rollout: Rollout, service: string): Promise<Map<string, HeldSecret>> {
    const held = new Map<string, HeldSecret>();
    for (const { secret } of rollout.spec.services[service].secrets) {
      const version = rollout.spec.secrets[secret];
      if (version === undefined) throw new Error(`the secret ${secret} has no version`);
      if (!held.has(secret)) held.set(secret, await this.ensure(rollout, secret, version));
    }
    return held;
  }

  /** Removes those of an environment that are not among `kept`; what a container still has stays for another time. */
  async removeOthers(target: EnvironmentRef, kept: Readonly<Record<string, number>> = {}): Promise<void> {
    const names = new Set(
      Object.entries(kept).map(([name, version]) => secretName(this.installation, target, name, version)),
    );
    for (const { ID: id, Spec: spec } of await this.list(environmentLabels(this.installation, target))) {
      if (names.has(spec.Name)) continue;
      try {
        await orUndefined(() => this.docker.getSecret(id).remove());
      } catch (error) {
        if (!hasStatus(error, 400) || !/in use/i.test(engineMessage(error))) throw error;
      }
    }
  }

  private async ensure(rollout: Rollout, secret: string, version: number): Promise<HeldSecret> {
    const name = secretName(this.installation, rollout.target, secret, version);
    const value = await rollout.secret(secret, version);
    const present = await this.find(name);
    if (present) return { id: present, name, value };
    try {
      const made = (await callEngine(() =>
        this.docker.createSecret({
          Name: name,
          Labels: environmentLabels(this.installation, rollout.target),
          Data: value.toString('base64'),
        }),
      )) as unknown as { id?: string; ID?: string };
      const id = made.ID ?? made.id;
      if (id) return { id, name, value };
    } catch (error) {
      // Another was faster.
      if (!hasStatus(error, 409)) throw error;
    }
    const found = await this.find(name);
    if (!found) throw new Error(`the secret ${secret} does not stay in the swarm`);
    return { id: found, name, value };
  }

  private async find(name: string): Promise<string | undefined> {
    const found = (await this.list({ [LABEL.installation]: this.installation })).find(
      ({ Spec: spec }) => spec.Name === name,
    );
    return found?.ID;
  }

  private list(labels: Record<string, string>): Promise<SwarmSecret[]> {
    const filters = labelFilter(labels);
    return callEngine(() => this.docker.listSecrets({ filters }) as unknown as Promise<SwarmSecret[]>);
  }
}
