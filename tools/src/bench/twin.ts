import { setTimeout as delay } from 'node:timers/promises';
import { Asker } from './asker.js';
import { engineRequest } from './engine-api.js';

export interface EngineSpec {
  Name: string;
  Labels: Record<string, string>;
  TaskTemplate: { ContainerSpec: { Image: string; Env: string[]; Labels: Record<string, string> } };
}

/**
 * A service by the engine's own API, of the spec that Berth makes, in a network of its own that is there beforehand. It is
 * asked by name from a container in that network: as near as a client can be.
 */
export class Twin {
  private id = '';

  private constructor(
    private readonly dockerHost: string,
    private readonly spec: EngineSpec,
    private readonly networkId: string,
    private readonly asker: Asker,
  ) {}

  static async prepare(
    dockerHost: string,
    like: EngineSpec,
    name: string,
    image: string,
    alias = 'web',
  ): Promise<Twin> {
    const network = await engineRequest<{ Id: string }>(dockerHost, 'POST', '/networks/create', {
      ...{ Name: name, Driver: 'overlay', Attachable: true, CheckDuplicate: true },
    });
    const { ContainerSpec: container } = like.TaskTemplate;
    const spec = {
      ...like,
      Name: name,
      // Without labels: a twin is nobody's guest, and the scheduler leaves it alone.
      Labels: {},
      TaskTemplate: {
        ...like.TaskTemplate,
        ContainerSpec: { ...container, Labels: {} },
        Networks: [{ Target: network.Id, Aliases: [alias] }],
      },
    };
    const asker = await Asker.start(dockerHost, name, image, { name: alias, port: 8080 });
    return new Twin(dockerHost, spec, network.Id, asker);
  }

  /** From asking for it to its first answer, in milliseconds. */
  async create(answer: string): Promise<number> {
    const started = Date.now();
    const spec = this.answering(answer);
    ({ ID: this.id } = await engineRequest<{ ID: string }>(
      ...([this.dockerHost, 'POST', '/services/create', spec] as const),
    ));
    return (await this.asker.answered(answer)) - started;
  }

  /** From asking for the update to the first answer of the new instance. */
  async update(answer: string): Promise<number> {
    const { Version } = await engineRequest<{ Version: { Index: number } }>(
      ...([this.dockerHost, 'GET', `/services/${this.id}`] as const),
    );
    const started = Date.now();
    const path = `/services/${this.id}/update?version=${Version.Index}`;
    await engineRequest(this.dockerHost, 'POST', path, this.answering(answer));
    return (await this.asker.answered(answer)) - started;
  }

  async remove(): Promise<void> {
    if (this.id) await engineRequest(this.dockerHost, 'DELETE', `/services/${this.id}`);
    await this.asker.stop();
    await this.removeNetwork();
  }

  /** The engine refuses while it still takes the last container's end off the network. */
  private async removeNetwork(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await engineRequest(this.dockerHost, 'DELETE', `/networks/${this.networkId}`);
      } catch (error) {
        if (tries === 200) throw error;
        await delay(100);
      }
    }
  }

  private answering(answer: string): EngineSpec {
    const { ContainerSpec: container } = this.spec.TaskTemplate;
    const Env = [...container.Env.filter((pair) => !pair.startsWith('ANSWER=')), `ANSWER=${answer}`];
    return {
      ...this.spec,
      TaskTemplate: { ...this.spec.TaskTemplate, ContainerSpec: { ...container, Env } },
    };
  }
}
