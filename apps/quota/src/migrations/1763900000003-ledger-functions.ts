import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Reserve, commit, release and vacate. `ledger_apply` does one or several of them as one statement that is its own
 * transaction, right for any number of callers because it takes all locks first and reads afterwards: under READ
 * COMMITTED, each statement of a VOLATILE function sees what was committed before that statement began, so the sums
 * include whatever was waited for. The functions for one call count on these locks.
 */
export class CreateLedgerFunctions1763900000003 implements MigrationInterface {
  readonly name = 'CreateLedgerFunctions1763900000003';

  async up(runner: QueryRunner): Promise<void> {
    await this.createLocks(runner);
    await this.createReserve(runner);
    await this.createCommit(runner);
    await this.createRelease(runner);
    await this.createApply(runner);
    await this.createSweep(runner);
  }

  private async createLocks(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION ledger_key(p_scope text, p_name text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
        SELECT hashtextextended('berth.quota/' || p_scope || '/' || p_name, 0)
      $$`);
    // Whose environments the calls change: as told, or as their reservation tells.
    await runner.query(`
      CREATE FUNCTION ledger_touched(p_calls jsonb)
      RETURNS TABLE (project text, environment text, team text, user_name text) LANGUAGE sql STABLE AS $$
        SELECT c.project, c.environment, c.team, c."user"
        FROM jsonb_to_recordset(p_calls) c (project text, environment text, team text, "user" text)
        WHERE c.project IS NOT NULL
        UNION
        SELECT r.project, r.environment, r.team, r.user_name
        FROM jsonb_to_recordset(p_calls) c (id uuid, project text) JOIN reservations r ON r.id = c.id
        WHERE c.project IS NULL AND r.project IS NOT NULL
      $$`);
    /*
     * Always in this order, so that no two callers can wait for each other: the ledger, shared; the environments by name;
     * then, of their projects, teams and users, those that have a limit. Where there is none, nobody waits.
     */
    await runner.query(`
      CREATE FUNCTION ledger_lock(p_calls jsonb) RETURNS void LANGUAGE plpgsql AS $$
      DECLARE
        locked record;
      BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
          RAISE EXCEPTION 'the ledger needs READ COMMITTED: an older snapshot would miss what was just reserved';
        END IF;
        PERFORM pg_advisory_xact_lock_shared(ledger_key('ledger', ''));
        FOR locked IN
          SELECT DISTINCT t.project || '.' || t.environment AS name FROM ledger_touched(p_calls) t ORDER BY name
        LOOP
          PERFORM pg_advisory_xact_lock(ledger_key('environments', locked.name));
        END LOOP;
        FOR locked IN
          SELECT DISTINCT l.scope, l.name FROM ledger_touched(p_calls) t
          JOIN limits l ON (l.scope, l.name) IN (('projects', t.project), ('teams', t.team), ('users', t.user_name))
          ORDER BY l.scope, l.name
        LOOP
          PERFORM pg_advisory_xact_lock(ledger_key(locked.scope, locked.name));
        END LOOP;
      END $$`);
    /*
     * A limit where there was none: reservations under way did not lock that scope. Waiting for them, and keeping new ones
     * out, from just before this transaction's commit until it is visible, leaves no gap between the two.
     */
    await runner.query(`
      CREATE FUNCTION limits_begin() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock(ledger_key('ledger', ''));
        RETURN NULL;
      END $$`);
    await runner.query(`
      CREATE CONSTRAINT TRIGGER limits_begin AFTER INSERT ON limits
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION limits_begin()`);
  }

  /**
   * Answers {"outcome": "reserved" | "refused" | "mismatch" | "released" | "vacated", "limits": [broken, …]}. An id that
   * is reserved or committed already is answered "reserved" again; one whose time ran out is judged anew.
   */
  private async createReserve(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION ledger_reserve(
        p_id uuid, p_project text, p_environment text, p_team text, p_user text,
        p_cpu bigint, p_memory bigint, p_instances bigint, p_seconds integer
      ) RETURNS jsonb LANGUAGE plpgsql AS $$
      DECLARE
        moment timestamptz;
        held reservations;
        broken jsonb;
      BEGIN
        moment := clock_timestamp();
        SELECT * INTO held FROM reservations WHERE id = p_id FOR UPDATE;
        IF FOUND THEN
          IF held.project IS NOT NULL AND
            (held.project, held.environment, held.team, held.user_name, held.cpu_millis, held.memory_bytes, held.instances)
              <> (p_project, p_environment, p_team, p_user, p_cpu, p_memory, p_instances) THEN
            RETURN '{"outcome": "mismatch", "limits": []}';
          ELSIF held.state IN ('released', 'vacated') THEN
            RETURN jsonb_build_object('outcome', held.state, 'limits', '[]'::jsonb);
          ELSIF held.state IN ('committed', 'replaced') THEN
            RETURN '{"outcome": "reserved", "limits": []}';
          ELSIF held.state = 'pending' AND held.expires_at > moment THEN
            UPDATE reservations SET expires_at = greatest(expires_at, moment + make_interval(secs => p_seconds))
            WHERE id = p_id;
            RETURN '{"outcome": "reserved", "limits": []}';
          END IF;
        END IF;
        broken := ledger_broken(
          p_project, p_environment, p_team, p_user, p_cpu, p_memory, p_instances, moment);
        IF broken <> '[]' THEN
          RETURN jsonb_build_object('outcome', 'refused', 'limits', broken);
        END IF;
        INSERT INTO reservations AS r (
          id, project, environment, team, user_name, cpu_millis, memory_bytes, instances, state, expires_at)
        VALUES (p_id, p_project, p_environment, p_team, p_user, p_cpu, p_memory, p_instances, 'pending',
          moment + make_interval(secs => p_seconds))
        ON CONFLICT (id) DO UPDATE SET state = 'pending', expires_at = excluded.expires_at, decided_at = NULL
        WHERE r.state IN ('pending', 'expired');
        -- Not ours to take: released, by a message that overtook this one, between the look and the insert.
        IF NOT FOUND THEN
          RETURN '{"outcome": "released", "limits": []}';
        END IF;
        RETURN '{"outcome": "reserved", "limits": []}';
      END $$`);
  }

  /**
   * Answers {"outcome": "committed" | "unknown" | "vacated", "overdrawn": [broken, …], "late": …}. A commit says what
   * runs, so it stands even where the reservation had expired or been given up and others have taken its room since: then
   * \`overdrawn\` names the limits that are broken now. A second commit of an id changes nothing.
   */
  private async createCommit(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION ledger_commit(p_id uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
      DECLARE
        moment timestamptz;
        held reservations;
        late boolean;
        broken jsonb := '[]';
      BEGIN
        moment := clock_timestamp();
        SELECT * INTO held FROM reservations WHERE id = p_id FOR UPDATE;
        IF NOT FOUND OR held.project IS NULL THEN
          RETURN '{"outcome": "unknown", "overdrawn": [], "late": false}';
        END IF;
        IF held.state IN ('committed', 'replaced') THEN
          RETURN '{"outcome": "committed", "overdrawn": [], "late": false}';
        ELSIF held.state = 'vacated' THEN
          RETURN '{"outcome": "vacated", "overdrawn": [], "late": true}';
        END IF;
        late := held.state <> 'pending' OR held.expires_at <= moment;
        IF late THEN
          broken := ledger_broken(held.project, held.environment, held.team, held.user_name,
            held.cpu_millis, held.memory_bytes, held.instances, moment);
        END IF;
        UPDATE reservations SET state = 'replaced', decided_at = moment
        WHERE project = held.project AND environment = held.environment AND state = 'committed';
        UPDATE reservations SET state = 'committed', decided_at = moment WHERE id = p_id;
        RETURN jsonb_build_object('outcome', 'committed', 'overdrawn', broken, 'late', late);
      END $$`);
  }

  private async createRelease(runner: QueryRunner): Promise<void> {
    /*
     * An id that was never reserved is noted as released: its reservation may still be on its way, and would be held by
     * nobody. What is committed stays: it runs.
     */
    await runner.query(`
      CREATE FUNCTION ledger_release(p_id uuid) RETURNS jsonb LANGUAGE sql AS $$
        INSERT INTO reservations AS r (id, state, decided_at) VALUES (p_id, 'released', clock_timestamp())
        ON CONFLICT (id) DO UPDATE SET
          state = CASE WHEN r.state IN ('pending', 'expired') THEN 'released' ELSE r.state END,
          decided_at = CASE WHEN r.state IN ('pending', 'expired') THEN clock_timestamp() ELSE r.decided_at END
        RETURNING jsonb_build_object('outcome', state)
      $$`);
    // Also what has ended without a commit: one that arrives late must not bring the environment back.
    await runner.query(`
      CREATE FUNCTION ledger_vacate(p_project text, p_environment text) RETURNS jsonb LANGUAGE sql AS $$
        UPDATE reservations SET state = 'vacated', decided_at = clock_timestamp()
        WHERE project = p_project AND environment = p_environment
          AND state IN ('pending', 'committed', 'expired', 'released');
        SELECT '{"outcome": "vacated"}'::jsonb
      $$`);
  }

  /**
   * Takes an array of calls, in the order of their ids (for the locks on rows), and answers one of answers. Its plans are
   * kept: made while the table is new and small, they would read all of it for as long as nothing has analysed it.
   */
  private async createApply(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION ledger_apply(p_calls jsonb) RETURNS jsonb LANGUAGE plpgsql SET enable_seqscan = off AS $$
      DECLARE
        c record;
        answers jsonb := '[]';
      BEGIN
        PERFORM ledger_lock(p_calls);
        FOR c IN
          SELECT * FROM jsonb_to_recordset(p_calls) AS given (
            call text, id uuid, project text, environment text, team text, "user" text,
            cpu bigint, memory bigint, instances bigint, seconds integer)
        LOOP
          answers := answers || jsonb_build_array(CASE c.call
            WHEN 'reserve' THEN ledger_reserve(
              c.id, c.project, c.environment, c.team, c."user", c.cpu, c.memory, c.instances, c.seconds)
            WHEN 'commit' THEN ledger_commit(c.id)
            WHEN 'release' THEN ledger_release(c.id)
            WHEN 'vacate' THEN ledger_vacate(c.project, c.environment)
          END);
        END LOOP;
        RETURN answers;
      END $$`);
  }

  private async createSweep(runner: QueryRunner): Promise<void> {
    // Rows that another sweep, or a commit, holds are left to it.
    await runner.query(`
      CREATE FUNCTION ledger_sweep(p_keep interval)
      RETURNS TABLE (id uuid, project text, environment text) LANGUAGE sql AS $$
        DELETE FROM reservations r USING (
          SELECT d.id FROM reservations d
          WHERE d.state NOT IN ('pending', 'committed') AND d.decided_at < clock_timestamp() - p_keep
          ORDER BY d.decided_at LIMIT 1000 FOR UPDATE SKIP LOCKED
        ) old WHERE r.id = old.id;
        UPDATE reservations r SET state = 'expired', decided_at = clock_timestamp()
        FROM (
          SELECT p.id FROM reservations p WHERE p.state = 'pending' AND p.expires_at <= clock_timestamp()
          ORDER BY p.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED
        ) past WHERE r.id = past.id
        RETURNING r.id, r.project, r.environment
      $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER limits_begin ON limits');
    await runner.query('DROP FUNCTION limits_begin');
    await runner.query(
      `DROP FUNCTION ledger_sweep, ledger_apply, ledger_vacate, ledger_release, ledger_commit, ledger_reserve, ledger_lock,
       ledger_touched, ledger_key`,
    );
  }
}
