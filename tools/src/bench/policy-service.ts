import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import pg from 'pg';
import type { z } from 'zod';
import {
  policyRpc,
  type DecisionRequest,
  type PolicySimulation,
  type Principal,
  type RpcDefinition,
} from '@berth/contracts';
import {
  createTestDatabase,
  endRun,
  startRun,
  startTestNats,
  startTestService,
  type TestService,
} from '@berth/testing';
import { Echo } from './echo.js';
import { figure, type Figure } from './figures.js';
import { type Asking, SteadyAsker } from './steady-asker.js';

const IN_FLIGHT = 64;
const PHASE_MS = 5_000;
const PAST = 100_000;
const ROUNDS = 3;
/** A pace that leaves the machine idle most of the time. */
const CALM = 500;
const ECHO = 'berth.rpc.policy.echo';
const TEAMS = 5;
const MANY = 10_000;
const PEOPLE = 20;

interface Reply {
  response?: unknown;
  err?: { detail?: string } | null;
}

/** The policy service as others have it: real processes, over NATS, with Postgres; asked as the gateway asks. */
class Service {
  private readonly processes: TestService[] = [];
  readonly people: Principal[] = [];
  admin!: Principal;

  private constructor(
    private readonly clients: { connection: NatsConnection; asker: SteadyAsker },
    private readonly env: Record<string, string>,
    private readonly adminToken: string,
    readonly databaseUrl: string,
    private readonly cleanUp: () => Promise<void>,
  ) {}

  static async start(): Promise<Service> {
    const database = await createTestDatabase('policy');
    const nats = await startTestNats();
    const connection = await connect(nats.as('gateway'));
    const asker = await SteadyAsker.connect(nats.as('gateway'));
    const adminToken = randomBytes(16).toString('hex');
    const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
    const env = {
      ...{ DATABASE_URL: database.url, LOG_LEVEL: 'silent', BERTH_ADMIN_TOKEN_SHA256: hash(adminToken) },
      ...nats.as('policy').env,
      // As the platform starts it.
      NODE_OPTIONS: '--max-semi-space-size=4',
    };
    const service = new Service({ connection, asker }, env, adminToken, database.adminUrl, async () => {
      asker.close();
      await connection.close();
      await nats.remove();
      await database.drop();
    });
    await service.addInstance();
    await service.invite();
    return service;
  }

  async addInstance(): Promise<void> {
    this.processes.push(await startTestService('policy', this.env));
  }

  async removeInstance(): Promise<void> {
    await this.processes.pop()?.kill('SIGTERM');
  }

  get asker(): SteadyAsker {
    return this.clients.asker;
  }

  get instances(): number {
    return this.processes.length;
  }

  async stop(): Promise<void> {
    for (const process of this.processes) await process.kill('SIGTERM');
    await this.cleanUp();
  }

  async call<Request extends z.ZodType, Response extends z.ZodType>(
    rpc: RpcDefinition<Request, Response>,
    data: z.input<Request>,
    actor?: Principal,
  ): Promise<z.output<Response>> {
    const body = JSON.stringify({ id: '1', pattern: rpc.subject, data });
    const reply = await this.clients.connection.request(rpc.subject, body, {
      timeout: rpc.timeout,
      headers: actor ? actorHeader(actor) : undefined,
    });
    const { response, err } = reply.json<Reply>();
    if (err) throw new Error(err.detail ?? JSON.stringify(err));
    return response as z.output<Response>;
  }

  /** One that a member of a team is allowed: the policies that come with Berth are asked, and the database who asks. */
  async decide(n: number): Promise<void> {
    const { allowed } = await this.call(policyRpc.decide, this.question(n));
    if (!allowed) throw new Error('denied');
  }

  /** Such decisions, or the same questions to who answers without thinking. */
  asking(subject: string): Asking {
    const bodies = Array.from({ length: 1_000 }, (_, n) =>
      Buffer.from(JSON.stringify({ id: '1', pattern: subject, data: this.question(n) })),
    );
    return { subject, bodies, expected: '"allowed":true' };
  }

  /** Answers as a decision is answered. */
  startEcho(): Promise<Echo> {
    const policies = [
      { id: 'team-developers', message: 'Developers of a team may change and run what the team owns.' },
    ];
    const response = { id: randomUUID(), allowed: true, visible: true, policies, advice: [], revision: 1 };
    return Echo.start(ECHO, JSON.stringify({ response, isDisposed: true, id: '1' }), this.env);
  }

  private question(n: number): DecisionRequest {
    const { user, tokenId } = this.people[n % PEOPLE];
    const team = `team-${n % TEAMS}`;
    const project = `project-${n % 50}`;
    return {
      ...{ action: 'environment.remove', hook: 'before', principal: { user, tokenId } },
      resource: { type: 'Environment', id: `${project}.dev`, team, project, environment: 'dev' },
      context: { volumes: false },
    };
  }

  /** An action that changes nothing: both hooks, the transaction, its record and its event. */
  async pass(n: number): Promise<void> {
    const [team, user] = [`team-${n % TEAMS}`, this.people[n % PEOPLE].user];
    await this.call(policyRpc.setMember, { team, user, role: 'developer' }, this.admin);
  }

  private async invite(): Promise<void> {
    this.admin = await this.call(policyRpc.authenticate, { token: this.adminToken });
    for (let team = 0; team < TEAMS; team += 1) {
      await this.call(policyRpc.createTeam, { name: `team-${team}` }, this.admin);
    }
    for (let person = 0; person < PEOPLE; person += 1) {
      const user = `dev-${person}`;
      await this.call(policyRpc.createUser, { name: user }, this.admin);
      for (let team = 0; team < TEAMS; team += 1) {
        await this.call(policyRpc.setMember, { team: `team-${team}`, user, role: 'developer' }, this.admin);
      }
      const issued = await this.call(policyRpc.createToken, { user, scopes: ['*'] }, this.admin);
      this.people.push(await this.call(policyRpc.authenticate, { token: issued.token }));
    }
  }
}

function actorHeader(actor: Principal): MsgHdrs {
  const made = headers();
  made.set('berth-actor', encodeURIComponent(JSON.stringify(actor)));
  return made;
}

const share = (sorted: readonly number[], part: number): number => sorted[Math.floor(sorted.length * part)];

/** Decisions flat out; then at half of that, in turn with an echo of the same size. */
async function load(service: Service): Promise<Figure[]> {
  const name = `over NATS, ${service.instances} ${service.instances === 1 ? 'instance' : 'instances'}`;
  const { asker } = service;
  const decisions = service.asking(policyRpc.decide.subject);
  const flatOut = (): Promise<number> => asker.throughput(decisions, { inFlight: IN_FLIGHT, ms: PHASE_MS });
  const most: number[] = [];
  const times = { decision: [[], []] as number[][], echo: [[], []] as number[][] };
  await flatOut();
  for (let round = 0; round < ROUNDS; round += 1) {
    most.push(await flatOut());
    await sideBySide(service, decisions, most[round] / 2, times);
  }
  return [
    figure(`${name}: decisions a second`, '/s', most),
    figure(`${name}: p50 at half of that`, 'ms.', times.decision[0]),
    figure(`${name}: p50 of an echo at the same pace`, 'ms.', times.echo[0]),
    figure(`${name}: p99 at half of that`, 'ms.', times.decision[1], 2),
    figure(`${name}: p99 of an echo at the same pace`, 'ms.', times.echo[1]),
  ];
}

async function calm(service: Service): Promise<Figure[]> {
  const times = { decision: [[], []] as number[][], echo: [[], []] as number[][] };
  const decisions = service.asking(policyRpc.decide.subject);
  for (let round = 0; round < ROUNDS; round += 1) await sideBySide(service, decisions, CALM, times);
  return [
    figure(`over NATS, ${CALM} a second: p50 of a decision`, 'ms.', times.decision[0]),
    figure(`over NATS, ${CALM} a second: p50 of an echo`, 'ms.', times.echo[0]),
    figure(`over NATS, ${CALM} a second: p99 of a decision`, 'ms.', times.decision[1]),
    figure(`over NATS, ${CALM} a second: p99 of an echo`, 'ms.', times.echo[1]),
  ];
}

/** One round of each: adds p50 and p99, in milliseconds. */
async function sideBySide(
  service: Service,
  decisions: Asking,
  perSecond: number,
  into: { decision: number[][]; echo: number[][] },
): Promise<void> {
  const { asker } = service;
  const add = (times: number[][], sorted: readonly number[]): void =>
    [0.5, 0.99].forEach((part, index) => times[index].push(share(sorted, part)));
  add(into.decision, await asker.atPace(decisions, { perSecond, ms: PHASE_MS }));
  const echo = await service.startEcho();
  try {
    add(into.echo, await asker.atPace(service.asking(ECHO), { perSecond, ms: PHASE_MS }));
  } finally {
    await echo.stop();
  }
}

async function passes(service: Service): Promise<Figure> {
  const times: number[] = [];
  for (let n = 0; n < 600; n += 1) {
    const since = performance.now();
    await service.pass(n);
    times.push(performance.now() - since);
  }
  return figure('a pass of the pipeline that changes nothing', 'ms.', times.slice(100));
}

/** Decisions of a month, as the service would have kept them. */
async function remember(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO policy.decisions (id, time, action, hook, principal, token_id, resource, context, allowed, policies, revision, correlation_id)
       SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid,
         at, 'environment.remove', 'before', 'dev-' || n % $2, NULL,
         jsonb_build_object('type', 'Environment', 'id', 'project-' || n % 50 || '.dev', 'team', 'team-' || n % $3, 'project', 'project-' || n % 50, 'environment', 'dev'),
         jsonb_build_object('volumes', n % 7 = 0), true, '[{"id": "team-developers", "message": ""}]', 1, 'bench'
       FROM (SELECT n, now() - interval '6 days' + n * interval '5 seconds' AS at FROM generate_series(1, $1::int) AS n) AS past`,
      [PAST, PEOPLE, TEAMS],
    );
  } finally {
    await client.end();
  }
}

async function whatIf(service: Service): Promise<Figure[]> {
  await remember(service.databaseUrl);
  const text = `forbid (principal, action == Berth::Action::"environment.remove.before", resource) when { context.volumes };`;
  const times: number[] = [];
  let last: PolicySimulation | undefined;
  const live: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now();
    const simulating = service.call(
      policyRpc.simulatePolicies,
      { changes: [{ id: 'keep-volumes', text }], limit: PAST },
      service.admin,
    );
    let over = false;
    void simulating.finally(() => (over = true));
    while (!over) {
      const since = performance.now();
      await service.decide(live.length);
      live.push(performance.now() - since);
      await delay(5);
    }
    last = await simulating;
    times.push((performance.now() - begun) / 1_000);
  }
  if (!last || last.replayed + last.skipped < PAST || last.denied < PAST / 10) {
    throw new Error(`it did not replay them: ${JSON.stringify({ ...last, impacts: [] })}`);
  }
  live.sort((left, right) => left - right);
  return [
    figure('what if, over 100,000 decisions', 's', times, 10),
    figure('a live decision meanwhile, at the same instance: p99', 'ms.', share(live, 0.99)),
  ];
}

/** With ten thousand in force in two instances: how long a change takes, and who asks right after it. */
async function changes(service: Service, client: pg.Client): Promise<Figure[]> {
  await client.query('UPDATE policy.policy_revision SET revision = revision + 1');
  await service.addInstance();
  for (let n = 0; n < 20; n += 1) await service.decide(n);
  const times = { change: [] as number[], next: [] as number[] };
  for (let round = 0; round < ROUNDS * 2; round += 1) {
    const text = `forbid (principal, action == Berth::Action::"project.read.before", resource) when { resource.name == "${round}" };`;
    const begun = performance.now();
    await service.call(policyRpc.applyPolicy, { id: 'changing', text }, service.admin);
    times.change.push(performance.now() - begun);
    const asked = performance.now();
    for (let n = 0; n < 20; n += 1) await service.decide(n);
    times.next.push(performance.now() - asked);
  }
  await service.removeInstance();
  return [
    figure(
      `a change of one of ${MANY.toLocaleString('en')} policies, until it holds where it was made`,
      'ms',
      times.change,
      1_000,
    ),
    figure('twenty decisions by two instances right after it', 'ms', times.next),
  ];
}

/** How long an instance takes until it decides by ten thousand policies, which nobody has read before; and the next one. */
async function starts(service: Service): Promise<Figure[]> {
  const client = new pg.Client({ connectionString: service.databaseUrl });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO policy.policies (id, text, message, version, builtin, updated_by, bindings)
       SELECT 'many-' || n, 'forbid (principal, action == Berth::Action::"project.read.before", resource == Berth::Project::"p-' || n || '");',
         '', 1, false, 'bench', '[{"scope": "platform", "mode": "deny"}]' FROM generate_series(1, $1::int) AS n`,
      [MANY],
    );
    const times = { first: [] as number[], next: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      await client.query('DELETE FROM policy.policy_readings');
      for (const taken of [times.first, times.next]) {
        const begun = performance.now();
        await service.addInstance();
        taken.push((performance.now() - begun) / 1_000);
        await service.removeInstance();
      }
    }
    const change = await changes(service, client);
    return [
      ...change,
      figure(`start with ${MANY.toLocaleString('en')} policies that nobody has read`, 's', times.first),
      figure('the same with what another instance has read', 's', times.next),
    ];
  } finally {
    await client.end();
  }
}

/** Measures the service. All that it starts lives in a folder of its own, and goes with it. */
export async function policyServiceFigures(): Promise<Figure[]> {
  const folder = await startRun();
  try {
    const service = await Service.start();
    try {
      const figures = [await passes(service), ...(await whatIf(service))];
      figures.push(...(await calm(service)), ...(await load(service)));
      await service.addInstance();
      figures.push(...(await load(service)));
      for (const _more of [3, 4]) await service.addInstance();
      figures.push(...(await load(service)));
      for (const _more of [2, 3, 4]) await service.removeInstance();
      return [...figures, ...(await starts(service))];
    } finally {
      await service.stop();
    }
  } finally {
    await endRun(folder);
  }
}
