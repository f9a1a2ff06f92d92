import { createHash, randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { policyRpc, quotaRpc, type Principal, type Quota, type Role } from '@berth/contracts';
import { NatsLink, RpcClient } from '@berth/messaging';
import { createLogger, Health } from '@berth/runtime';
import {
  createTestDatabase,
  startTestService,
  testNats,
  type TestDatabase,
  type TestService,
} from '@berth/testing';

const BLOCKED = `@id("no-blocked-images") @message("Images called blocked are not for use.")
  forbid (principal, action in [Berth::Action::"image.pull", Berth::Action::"image.push"], resource is Berth::Image)
  when { context has repository && context.repository like "*blocked*" };`;

/** The policy service with the people of these specs, their Berth tokens, and the quota service. */
export class People {
  /** Of ann, a developer of team acme. */
  developer = '';
  /** For calls as an admin. */
  admin!: { actor: Principal };
  /** Of vic, a viewer of team acme. */
  viewer = '';
  /** Of olga, a maintainer of team others. */
  stranger = '';

  private constructor(
    readonly policy: TestService,
    readonly quota: TestService,
    private readonly databases: Record<'policy' | 'quota', TestDatabase>,
    private readonly connection: NatsConnection,
    /** As the scheduler asks other services. */
    readonly rpc: RpcClient,
  ) {}

  /** Two teams with their members, and a policy that denies images called `blocked`. */
  static async start(): Promise<People> {
    const adminToken = `berth_${randomBytes(32).toString('base64url')}`;
    const databases = {
      policy: await createTestDatabase('policy'),
      quota: await createTestDatabase('quota'),
    };
    const [policy, quota] = await Promise.all([
      startTestService('policy', {
        ...(await testNats('policy')).env,
        DATABASE_URL: databases.policy.url,
        BERTH_ADMIN_TOKEN_SHA256: createHash('sha256').update(adminToken).digest('hex'),
        BERTH_HOOKS_KEY: randomBytes(32).toString('base64'),
        LOG_LEVEL: 'warn',
      }),
      startTestService('quota', {
        ...(await testNats('quota')).env,
        DATABASE_URL: databases.quota.url,
        LOG_LEVEL: 'error',
      }),
    ]);
    const { env: _env, ...options } = await testNats('scheduler');
    const connection = await connect(options);
    const rpc = new RpcClient(new NatsLink(connection, createLogger('scheduler', 'silent'), new Health()));
    const people = new People(policy, quota, databases, connection, rpc);
    await people.settle(await people.principal(adminToken));
    return people;
  }

  /** Who holds a token. */
  principal(token: string): Promise<Principal> {
    return this.rpc.call(policyRpc.authenticate, { token }, { actor: null });
  }

  async stop(): Promise<void> {
    await this.connection.close();
    await Promise.all([this.policy.kill('SIGTERM'), this.quota.kill('SIGTERM')]);
    for (const database of Object.values(this.databases)) await database.drop();
  }

  /** Limits what the images of a team may take; null: not any more. */
  limitStorage(team: string, bytes: number | null): Promise<Quota> {
    const limits = bytes === null ? {} : { storage: bytes };
    return this.rpc.call(quotaRpc.set, { scope: 'teams', name: team, limits }, this.admin);
  }

  /** How many decisions were taken about an image. */
  async decisionsAbout(repository: string): Promise<number> {
    const client = new Client({ connectionString: this.databases.policy.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ count: string }>(
        `SELECT count(*) FROM decisions WHERE resource->>'id' = $1`,
        [repository],
      );
      return Number(rows[0].count);
    } finally {
      await client.end();
    }
  }

  private async settle(admin: Principal): Promise<void> {
    this.admin = { actor: admin };
    const asAdmin = { actor: admin };
    await this.rpc.call(policyRpc.applyPolicy, { id: 'no-blocked-images', text: BLOCKED }, asAdmin);
    for (const name of ['acme', 'others']) await this.rpc.call(policyRpc.createTeam, { name }, asAdmin);
    const add = async (team: string, user: string, role: Role): Promise<string> => {
      await this.rpc.call(policyRpc.createUser, { name: user }, asAdmin);
      await this.rpc.call(policyRpc.setMember, { team, user, role }, asAdmin);
      return (await this.rpc.call(policyRpc.createToken, { user, name: 'spec' }, asAdmin)).token;
    };
    this.developer = await add('acme', 'ann', 'developer');
    this.viewer = await add('acme', 'vic', 'viewer');
    this.stranger = await add('others', 'olga', 'maintainer');
  }
}
