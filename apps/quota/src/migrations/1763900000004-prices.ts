import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Prices for an hour, in millionths, each set beside those before it. */
export class CreatePrices1763900000004 implements MigrationInterface {
  readonly name = 'CreatePrices1763900000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE prices (
        version integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        cpu_micros bigint NOT NULL CHECK (cpu_micros >= 0),
        memory_micros bigint NOT NULL CHECK (memory_micros >= 0),
        set_by text NOT NULL,
        set_at timestamptz NOT NULL
      )`);
    await runner.query(`
      CREATE FUNCTION hourly_cost(p_cpu_millis numeric, p_memory_bytes numeric)
      RETURNS TABLE (currency text, micros numeric)
      LANGUAGE sql STABLE AS $$
        SELECT p.currency, round(p.cpu_micros * p_cpu_millis / 1000 + p.memory_micros * p_memory_bytes / 1073741824)
        FROM prices p ORDER BY p.version DESC LIMIT 1
      $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION hourly_cost');
    await runner.query('DROP TABLE prices');
  }
}
