import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is used of a scope. While an environment rolls out, the larger of what it has committed and what it has reserved
 * counts, in each dimension by itself; a reservation past its expiry counts no more, swept or not.
 */
export class CreateUsage1763900000002 implements MigrationInterface {
  readonly name = 'CreateUsage1763900000002';

  async up(runner: QueryRunner): Promise<void> {
    // One branch per scope: each finds its rows by an index, and the three that do not apply cost nothing.
    await runner.query(`
      CREATE FUNCTION ledger_holders(p_scope text, p_name text, p_at timestamptz)
      RETURNS TABLE (project text, environment text, cpu_millis bigint, memory_bytes bigint, instances bigint)
      LANGUAGE sql STABLE AS $$
        SELECT r.project, r.environment, max(r.cpu_millis), max(r.memory_bytes), max(r.instances)
        FROM (
          SELECT * FROM reservations
          WHERE p_scope = 'teams' AND team = p_name AND state IN ('pending', 'committed')
          UNION ALL
          SELECT * FROM reservations
          WHERE p_scope = 'users' AND user_name = p_name AND state IN ('pending', 'committed')
          UNION ALL
          SELECT * FROM reservations
          WHERE p_scope = 'projects' AND project = p_name AND state IN ('pending', 'committed')
          UNION ALL
          SELECT * FROM reservations
          WHERE p_scope = 'environments' AND project = split_part(p_name, '.', 1)
            AND environment = split_part(p_name, '.', 2) AND state IN ('pending', 'committed')
        ) r
        WHERE r.state = 'committed' OR r.expires_at > p_at
        GROUP BY r.project, r.environment
      $$`);
    await runner.query(`
      CREATE FUNCTION ledger_usage(p_scope text, p_name text)
      RETURNS TABLE (cpu_millis numeric, memory_bytes numeric, instances numeric)
      LANGUAGE sql STABLE AS $$
        SELECT coalesce(sum(h.cpu_millis), 0), coalesce(sum(h.memory_bytes), 0), coalesce(sum(h.instances), 0)
        FROM ledger_holders(p_scope, p_name, clock_timestamp()) h
      $$`);
    /*
     * Every limit that would be broken if this environment came to hold these amounts, as a JSON array. The new amounts take
     * the place of what it holds now, so \`requested\` is the difference: used + requested > limit holds for each that is told.
     */
    await runner.query(`
      CREATE FUNCTION ledger_broken(
        p_project text, p_environment text, p_team text, p_user text,
        p_cpu bigint, p_memory bigint, p_instances bigint, p_at timestamptz
      ) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
      BEGIN RETURN (
        SELECT coalesce(
          jsonb_agg(
            jsonb_build_object(
              'scope', l.scope, 'name', l.name, 'dimension', d.dimension,
              'limit', d.most, 'used', d.used, 'requested', d.wanted - d.own
            ) ORDER BY l.scope, d.dimension
          ), '[]'::jsonb)
        FROM limits l
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(h.cpu_millis), 0) AS cpu, coalesce(sum(h.memory_bytes), 0) AS memory,
            coalesce(sum(h.instances), 0) AS instances,
            coalesce(sum(h.cpu_millis) FILTER (WHERE own), 0) AS own_cpu,
            coalesce(sum(h.memory_bytes) FILTER (WHERE own), 0) AS own_memory,
            coalesce(sum(h.instances) FILTER (WHERE own), 0) AS own_instances
          FROM ledger_holders(l.scope, l.name, p_at) h
          CROSS JOIN LATERAL (SELECT (h.project, h.environment) = (p_project, p_environment)) o (own)
        ) held
        CROSS JOIN LATERAL (
          VALUES ('cpu', l.cpu_millis, held.cpu, held.own_cpu, p_cpu),
            ('memory', l.memory_bytes, held.memory, held.own_memory, p_memory),
            ('instances', l.instances, held.instances, held.own_instances, p_instances)
        ) d (dimension, most, used, own, wanted)
        WHERE (l.scope, l.name) IN (
          ('environments', p_project || '.' || p_environment), ('projects', p_project),
          ('teams', p_team), ('users', p_user)
        ) AND d.used - d.own + d.wanted > d.most
      ); END $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION ledger_broken, ledger_usage, ledger_holders');
  }
}
