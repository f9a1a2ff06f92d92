import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { RunSpec } from '../compose/index.js';

/** What deployments brought, as it was written down with them. */
@Injectable()
export class RunSpecs {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Null where there is no deployment. */
  async of(deployment: string | null): Promise<RunSpec | null> {
    if (deployment === null) return null;
    const [found]: { spec: RunSpec }[] = await this.dataSource.query(
      'SELECT spec FROM deployments WHERE id = $1',
      [deployment],
    );
    return found?.spec ?? null;
  }

  /** Of what runs in an environment; null where nothing does. */
  async running(environmentId: string): Promise<RunSpec | null> {
    const [found]: { spec: RunSpec }[] = await this.dataSource.query(
      'SELECT d.spec FROM environments e JOIN deployments d ON d.id = e.deployment WHERE e.id = $1',
      [environmentId],
    );
    return found?.spec ?? null;
  }

  /** Of several deployments, by their ids. */
  async ofAll(deployments: readonly string[]): Promise<Map<string, RunSpec>> {
    const found: { id: string; spec: RunSpec }[] = await this.dataSource.query(
      'SELECT id, spec FROM deployments WHERE id = ANY ($1)',
      [deployments],
    );
    return new Map(found.map(({ id, spec }) => [id, spec]));
  }
}
