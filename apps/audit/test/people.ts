import { createHash, randomBytes } from 'node:crypto';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { policyRpc, type Principal, type Role } from '@berth/contracts';
import { NatsLink, RpcClient } from '@berth/messaging';
import { createLogger, Health } from '@berth/runtime';
import {
  createTestDatabase,
  startTestService,
  testNats,
  type TestDatabase,
  type TestService,
} from '@berth/testing';

/** The policy service, as a process, and the people it knows; with a client that asks as the gateway does. */
export class People {
  private constructor(
    readonly policy: TestService,
    readonly rpc: RpcClient,
    readonly admin: Principal,
    private readonly database: TestDatabase,
    private readonly connection: NatsConnection,
  ) {}

  static async start(): Promise<People> {
    const token = `berth_${randomBytes(32).toString('base64url')}`;
    const database = await createTestDatabase('policy');
    const policy = await startTestService('policy', {
      ...(await testNats('policy')).env,
      DATABASE_URL: database.url,
      BERTH_ADMIN_TOKEN_SHA256: createHash('sha256').update(token).digest('hex'),
      LOG_LEVEL: 'warn',
    });
    const connection = await connect(await testNats('gateway'));
    const rpc = new RpcClient(new NatsLink(connection, createLogger('gateway', 'silent'), new Health()));
    const admin = await rpc.call(policyRpc.authenticate, { token }, { actor: null });
    return new People(policy, rpc, admin, database, connection);
  }

  async stop(): Promise<void> {
    await this.connection.close();
    await this.policy.kill('SIGTERM');
    await this.database.drop();
  }

  async addTeam(team: string): Promise<void> {
    await this.rpc.call(policyRpc.createTeam, { name: team }, { actor: this.admin });
  }

  /** A new user with a role in each of these teams. */
  async add(name: string, roles: Record<string, Role> = {}): Promise<Principal> {
    const actor = this.admin;
    await this.rpc.call(policyRpc.createUser, { name }, { actor });
    for (const [team, role] of Object.entries(roles)) {
      await this.rpc.call(policyRpc.setMember, { team, user: name, role }, { actor });
    }
    const { token } = await this.rpc.call(policyRpc.createToken, { user: name }, { actor });
    return this.rpc.call(policyRpc.authenticate, { token }, { actor: null });
  }

  async applyPolicy(id: string, text: string): Promise<void> {
    await this.rpc.call(policyRpc.applyPolicy, { id, text }, { actor: this.admin });
  }

  async removePolicy(id: string): Promise<void> {
    await this.rpc.call(policyRpc.removePolicy, { id }, { actor: this.admin });
  }
}
