import { Controller } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { Public } from '@berth/actions';
import { schedulerRpc } from '@berth/contracts';
import { Handles } from '@berth/messaging';

/** What environments run or are about to, with their resources, and the release before it. */
const READ = `
  SELECT DISTINCT service.value->'pinned'->>'digest' AS digest
  FROM (
    SELECT d.spec FROM environments e JOIN deployments d ON d.id = e.deployment
    UNION ALL
    SELECT spec FROM deployments WHERE status IN ('pending', 'running')
    UNION ALL
    SELECT earlier.spec FROM environments e CROSS JOIN LATERAL (
      SELECT d.spec FROM deployments d
      WHERE d.environment_id = e.id AND d.status = 'succeeded' AND d.release IS DISTINCT FROM e.release
      ORDER BY d.created_at DESC LIMIT 1
    ) earlier
  ) kept
  CROSS JOIN LATERAL jsonb_each(kept.spec->'services') service
  WHERE starts_with(service.value->'pinned'->>'repository', $1 || '/')
  ORDER BY 1`;

/** Which images must stay, for the registry, which lets others go. */
@Controller()
@Public(
  'asked by the registry for retention rules, which policy has allowed; NATS lets services only publish here',
)
export class ImagesInUseController {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  @Handles(schedulerRpc.imagesInUse)
  async inUse({
    team,
  }: z.infer<typeof schedulerRpc.imagesInUse.request>): Promise<
    z.infer<typeof schedulerRpc.imagesInUse.response>
  > {
    const rows = await this.dataSource.query<{ digest: string }[]>(READ, [team]);
    return { digests: rows.map(({ digest }) => digest) };
  }
}
