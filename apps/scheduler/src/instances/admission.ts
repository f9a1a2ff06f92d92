import { Injectable } from '@nestjs/common';
import { ActionPipeline, type Intent } from '@berth/actions';
import type { ResourceRef } from '@berth/contracts';
import type { z } from 'zod';
import type { EnvironmentEntity } from '../environments/environment.entity.js';
import { serviceResource } from '../environments/environment.entity.js';
import { ServicesService } from '../services/services.js';

/** Asks about a service before it is shown; what it throws is not to be caught. */
export type Admit = (service: string) => Promise<void>;

/**
 * Reading several services at once opens no way round a rule about one of them: each is asked about, once, and so is one
 * that comes while they are read.
 */
@Injectable()
export class Admission {
  constructor(
    private readonly services: ServicesService,
    private readonly pipeline: ActionPipeline,
  ) {}

  /** Asks about those named, or all that there are. Throws NOT_FOUND for one that is not there. */
  async admit<C extends z.ZodObject, O extends z.ZodObject>(
    environment: EnvironmentEntity,
    names: readonly string[] | null,
    intent: Omit<Intent<C, O>, 'resource'>,
  ): Promise<Admit> {
    const read = (resource: ResourceRef): Promise<void> =>
      this.pipeline.read({ ...intent, resource }, () => Promise.resolve());
    const asked = new Map<string, Promise<void>>();
    for (const [name, resource] of await this.services.resources(environment, names)) {
      await read(resource);
      asked.set(name, Promise.resolve());
    }
    return (name) => {
      const answer = asked.get(name) ?? read(serviceResource(environment, name));
      asked.set(name, answer);
      return answer;
    };
  }
}
