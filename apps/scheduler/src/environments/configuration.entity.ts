import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import { parseBytes, type Configuration, type ServiceSettings } from '@berth/contracts';
import type { RunSettings, ServiceOverride } from '../compose/index.js';
import { toBacking, type DeclaredResources } from '../resources/declared-resource.js';

/** What an environment adds to the releases that it runs. */
export interface Settings {
  variables: Record<string, string>;
  /** By service. */
  services: Record<string, ServiceSettings>;
  /** By service: how often it was told to restart. */
  restarts: Record<string, number>;
  resources: DeclaredResources;
}

/** One version of an environment's settings. Immutable. */
@Entity('configurations')
export class ConfigurationEntity implements Settings {
  @PrimaryColumn('uuid', { name: 'environment_id' })
  environmentId!: string;

  @PrimaryColumn('int')
  version!: number;

  @Column('jsonb')
  variables!: Record<string, string>;

  @Column('jsonb')
  services!: Record<string, ServiceSettings>;

  @Column('jsonb')
  restarts!: Record<string, number>;

  @Column('jsonb')
  resources!: DeclaredResources;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}

export function toConfiguration(entity: ConfigurationEntity, current: number): Configuration {
  const { version, variables, services, createdBy, createdAt } = entity;
  return {
    ...{ version, variables, services, createdBy },
    current: version === current,
    createdAt: createdAt.toISOString(),
  };
}

/** The settings in the engine's units. */
export function toRunSettings({ variables, services, restarts, resources }: Settings): RunSettings {
  const overrides = Object.entries(services).map(([name, settings]) => [name, toOverride(settings)] as const);
  const backings = Object.entries(resources).map(
    ([name, declared]) => [name, toBacking(name, declared)] as const,
  );
  return {
    ...{ variables, restarts },
    ...{ overrides: Object.fromEntries(overrides), backings: Object.fromEntries(backings) },
  };
}

function toOverride({ replicas, cpus, memory }: ServiceSettings): ServiceOverride {
  const bytes = typeof memory === 'string' ? (parseBytes(memory) ?? undefined) : memory;
  return {
    ...(replicas === undefined ? {} : { replicas }),
    ...(cpus === undefined ? {} : { nanoCpus: Math.round(cpus * 1e9) }),
    ...(bytes === undefined ? {} : { memoryBytes: bytes }),
  };
}
