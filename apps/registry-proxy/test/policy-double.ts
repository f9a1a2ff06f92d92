import { connect, type NatsConnection } from '@nats-io/transport-node';
import { BerthError, type Decision, type DecisionRequest, type Principal } from '@berth/contracts';
import { testNats } from '@berth/testing';

type Role = Principal['teams'][number]['role'];

/**
 * Stands in for the policy service in these specs only: tokens are `<user>:<team>:<role>`, teams see their own, and `blocked` in
 * a repository's name is denied by a policy of that name.
 */
export class PolicyDouble {
  readonly decisions: DecisionRequest[] = [];
  private readonly users = new Map<string, Principal>();
  private constructor(private readonly connection: NatsConnection) {}

  static async start(): Promise<PolicyDouble> {
    const { env: _env, ...options } = await testNats('policy');
    const policy = new PolicyDouble(await connect(options));
    policy.answer('authenticate', ({ token }: { token: string }) => policy.authenticate(token));
    policy.answer('decide', (request: DecisionRequest) => policy.decide(request));
    return policy;
  }

  async stop(): Promise<void> {
    await this.connection.drain();
  }

  /** Who holds a token, for requests over NATS. */
  principal(token: string): Promise<Principal> {
    return Promise.resolve(this.authenticate(token));
  }

  private answer<T>(method: string, respond: (data: T) => unknown): void {
    this.connection.subscribe(`berth.rpc.policy.${method}`, {
      callback: (_error, message) => {
        const { id, data } = message.json<{ id: string; data: T }>();
        try {
          message.respond(JSON.stringify({ id, response: respond(data), isDisposed: true }));
        } catch (error) {
          message.respond(JSON.stringify({ id, err: (error as BerthError).toProblem(), isDisposed: true }));
        }
      },
    });
  }

  private authenticate(token: string): Principal {
    const [user = '', team = '', role] = token.split('.');
    if (role === undefined) throw new BerthError('UNAUTHENTICATED', 'no such token');
    const principal: Principal = {
      user,
      kind: 'user',
      admin: false,
      teams: [{ team, role: role as Role }],
      tokenId: null,
      scopes: ['*'],
      expiresAt: null,
    };
    this.users.set(user, principal);
    return principal;
  }

  private decide(request: DecisionRequest): Decision {
    this.decisions.push(request);
    const { team } = request.resource;
    const member = this.users.get(request.principal.user)?.teams.find((entry) => entry.team === team);
    const visible = team === undefined || member !== undefined;
    const blocked = request.resource.id.includes('blocked');
    const mayPush = member !== undefined && member.role !== 'viewer';
    const allowed = visible && !blocked && (request.action !== 'image.push' || mayPush);
    return {
      id: '0190a7c0-0000-7000-8000-000000000000',
      allowed,
      visible,
      policies: allowed
        ? []
        : [{ id: 'no-blocked-images', message: 'Images called blocked are not for use.' }],
      revision: 1,
    };
  }
}
