import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, requireActor } from '@berth/actions';
import {
  actions,
  policyRpc,
  positionOf,
  toPage,
  type Assessment,
  type EnvironmentReview,
  type Page,
  type ReviewFinding,
  type schedulerRpc,
  PLATFORM,
} from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { CONTAINER_ENGINE, type ContainerEngine } from '../engine/container-engine.js';
import { questionsOf, type Running, type Topic } from './questions.js';

type Query = z.output<typeof schedulerRpc.reviewEnvironments.request>;

/** The engine is asked about so many environments at a time. */
const AT_ONCE = 4;

const READ = `
  SELECT e.id, e.project, e.name, e.team, e.variables, e.services, e.restarts, e.resources,
         d.id AS deployment, d.spec, d.release, d.created_by AS "deployedBy", d.created_at AS "deployedAt", r.spec->'images' AS images
  FROM environments e
  JOIN deployments d ON d.id = e.deployment
  LEFT JOIN releases r ON r.project = e.project AND r.digest = d.release
  WHERE e.removing_since IS NULL AND ($1::text[] IS NULL OR e.team = ANY ($1)) AND ($2::text IS NULL OR e.project = $2)
    AND (e.project, e.name) > ($3, $4)
  ORDER BY e.project, e.name LIMIT $5`;

/** What runs now, held against the policies of today: as if each of it were deployed again by who deployed it. */
@Injectable()
export class Reviews {
  constructor(
    private readonly pipeline: ActionPipeline,
    private readonly rpc: RpcClient,
    @Inject(CONTAINER_ENGINE) private readonly engine: ContainerEngine,
    @InjectDataSource() private readonly dataSource: DataSource,
  ) {}

  /** Of the environments that run something and that the asker's teams own, or all for an admin. Changes nothing. */
  list({ project, limit, cursor }: Query): Promise<Page<EnvironmentReview>> {
    const { admin, teams } = requireActor();
    const intent = { action: actions.environmentReview, resource: PLATFORM, context: {} };
    return this.pipeline.read(intent, async () => {
      const after = [positionOf(cursor, 'project'), positionOf(cursor, 'environment')];
      const own = admin ? null : teams.map(({ team }) => team);
      const rows: Running[] = await this.dataSource.query(READ, [own, project ?? null, ...after, limit + 1]);
      const page = toPage(
        rows,
        limit,
        (row) => row,
        ({ project: of, name: environment }) => ({ project: of, environment }),
      );
      return { ...page, items: await this.review(page.items) };
    });
  }

  private async review(rows: readonly Running[]): Promise<EnvironmentReview[]> {
    const reviews: EnvironmentReview[] = [];
    for (let start = 0; start < rows.length; start += AT_ONCE) {
      const some = rows.slice(start, start + AT_ONCE);
      const asked = await Promise.all(some.map((running) => questionsOf(this.engine, running)));
      const questions = asked.flatMap((topics) => topics.map(({ question }) => question));
      const { assessments } = await this.rpc.call(policyRpc.assess, { questions });
      let next = 0;
      for (const [index, running] of some.entries()) {
        const findings = asked[index].flatMap((topic) => findingsOf(topic, assessments[next++]));
        reviews.push(toReview(running, findings));
      }
    }
    return reviews;
  }
}

function findingsOf(
  { service, question: { action, hook } }: Topic,
  { allowed, policies, advice }: Assessment,
): ReviewFinding[] {
  const warnings = advice.flatMap(({ id, message, mode }) => (mode === 'warn' ? [{ id, message }] : []));
  return [
    ...(allowed ? [] : [{ effect: 'denied' as const, action, hook, service, policies }]),
    ...(warnings.length > 0
      ? [{ effect: 'warned' as const, action, hook, service, policies: warnings }]
      : []),
  ];
}

function toReview(running: Running, findings: ReviewFinding[]): EnvironmentReview {
  const { project, name: environment, team, release, deployment, deployedBy, deployedAt } = running;
  return {
    ...{ project, environment, team, release, deployment, deployedBy, findings },
    deployedAt: deployedAt.toISOString(),
  };
}
