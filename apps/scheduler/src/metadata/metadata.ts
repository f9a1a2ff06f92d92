import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  EnvironmentMetadata,
  type MetadataRelease,
  type MetadataResource,
  type MetadataService,
} from '@berth/contracts';
import { canonicalJson, type RunService, type RunSpec } from '../compose/index.js';
import type { EnvironmentRef } from '../engine/container-engine.js';
import { Ingress } from '../ingress/ingress.js';
import { SharedLooks } from './shared-looks.js';

/** What an environment tells of itself at one moment. */
export interface Told {
  /** Of the row: another environment of the same name, later, has another. */
  id: string;
  metadata: EnvironmentMetadata;
}

interface Row {
  id: string;
  project: string;
  environment: string;
  variables: Record<string, string>;
  configuration: number;
  deployment: string | null;
  release: string | null;
  spec: RunSpec | null;
  coming: string | null;
  comingRelease: string | null;
  comingSpec: RunSpec | null;
}

// There is one deployment under way at most.
const LOOK = `
  SELECT e.id, e.project, e.name AS environment, e.variables, e.configuration, e.deployment, e.release, d.spec,
    c.id AS coming, c.release AS "comingRelease", c.spec AS "comingSpec"
  FROM environments e
  LEFT JOIN deployments d ON d.id = e.deployment
  LEFT JOIN deployments c ON c.environment_id = e.id AND c.status IN ('pending', 'running')`;

type UrlOf = Ingress['urlOf'];

/** What is written down of an environment, as its own instances may know it. The engine is not asked. */
@Injectable()
export class Metadata {
  /** However many ask, an environment takes one connection to the database. */
  private readonly looks = new SharedLooks<Told | null>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly ingress: Ingress,
  ) {}

  /** Null where there is no such environment. */
  async of({ project, environment }: EnvironmentRef): Promise<Told | null> {
    return this.looks.get(`${project}/${environment}`, async () => {
      const where = `${LOOK} WHERE e.project = $1 AND e.name = $2`;
      return this.tell(await this.dataSource.query(where, [project, environment]));
    });
  }

  /** Null when it is gone. */
  async ofId(id: string): Promise<Told | null> {
    return this.tell(await this.dataSource.query(`${LOOK} WHERE e.id = $1`, [id]));
  }

  private tell(rows: Row[]): Told | null {
    if (rows.length === 0) return null;
    const [row] = rows;
    const urlOf: UrlOf = (route, spec) => this.ingress.urlOf(route, spec);
    return { id: row.id, metadata: toMetadata(row, urlOf) };
  }
}

/** Pure: the parts of a row that are told, checked to be just these. */
export function toMetadata(row: Row, urlOf: UrlOf): EnvironmentMetadata {
  const { project, environment, variables, configuration } = row;
  const spec = row.spec ?? row.comingSpec;
  return EnvironmentMetadata.parse({
    ...{ project, environment, variables, configuration },
    release: releaseOf(row.release, row.deployment),
    rollingOut: releaseOf(row.comingRelease, row.coming),
    services: Object.entries(spec?.services ?? {})
      .filter(([name]) => !Object.hasOwn(spec?.resources ?? {}, name))
      .map(([name, service]) => {
        const outside = urlOf({ project, environment, service: name }, spec);
        return serviceOf(name, service, outside);
      })
      .sort(byName),
    resources: resourcesOf(spec),
  });
}

function releaseOf(digest: string | null, deployment: string | null): MetadataRelease | null {
  return digest === null || deployment === null ? null : { digest, deployment };
}

function serviceOf(
  name: string,
  { image, pinned, replicas, ports, http }: RunService,
  outside: string | null,
): MetadataService {
  return {
    name,
    image: { reference: image, digest: pinned.digest },
    replicas,
    ports: ports.map(({ target, published, protocol }) => ({ target, published, protocol })),
    protocol: http?.protocol ?? null,
    url: { inside: http ? `http://${name}:${http.port}` : null, outside },
  };
}

function resourcesOf(spec: RunSpec | null): MetadataResource[] {
  return Object.values(spec?.resources ?? {})
    .map(({ name, entry, version, port, variables }) => ({ name, kind: entry, version, port, variables }))
    .sort(byName);
}

function byName({ name: a }: { name: string }, { name: b }: { name: string }): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Names what is told: the same for the same, from every scheduler. */
export function tagOf(told: unknown): string {
  return createHash('sha256').update(canonicalJson(told)).digest('hex').slice(0, 32);
}
