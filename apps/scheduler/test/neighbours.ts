import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import {
  BerthError,
  policyRpc,
  quotaRpc,
  registryRpc,
  type BrokenLimit,
  type AssessedQuestion,
  type Decision,
  type DecisionRequest,
  type Problem,
  type Reservation,
} from '@berth/contracts';
import type { NatsAccess, PulledImage, TestNats } from '@berth/testing';

type Answer = (data: never) => unknown;

/** What a test's quota has heard, in order. */
export interface QuotaWord {
  kind: 'reserve' | 'commit' | 'release' | 'vacate';
  data: Reservation | { id: string } | { project: string; environment: string };
}

/**
 * The other services, as far as the scheduler asks them, answering over the real bus with the credentials of each.
 * Each answer can be changed by a test; a service can be made silent.
 */
export class Neighbours {
  /** What policy and quota say in a project; both allow all where nothing is set. */
  readonly decide = new Map<string, (request: DecisionRequest) => Partial<Decision>>();
  readonly limits = new Map<string, BrokenLimit[]>();
  images: Record<string, PulledImage> = {};
  readonly silent = new Set<'policy' | 'quota'>();
  readonly asked: DecisionRequest[] = [];
  /** What was only assessed, since nothing came of it. */
  readonly assessed: DecisionRequest[] = [];
  readonly quota: QuotaWord[] = [];

  private constructor(private readonly connections: NatsConnection[]) {}

  static async start(nats: TestNats): Promise<Neighbours> {
    const users = ['policy', 'quota', 'registry-proxy'] as const;
    const [policy, quota, registry] = await Promise.all(users.map((user) => open(nats.as(user))));
    const neighbours = new Neighbours([policy, quota, registry]);
    neighbours.answerPolicy(policy);
    neighbours.answerQuota(quota);
    serve(registry, registryRpc.resolve.subject, ({ reference }: { reference: string }) =>
      neighbours.resolve(reference),
    );
    serve(registry, registryRpc.pushLogin.subject, () => ({ token: 'a token to push with' }));
    return neighbours;
  }

  async stop(): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.close()));
  }

  /** What quota was told of one reservation or place since. */
  words(kind: QuotaWord['kind']): QuotaWord['data'][] {
    return this.quota.filter((word) => word.kind === kind).map(({ data }) => data);
  }

  private answerPolicy(connection: NatsConnection): void {
    serve(
      connection,
      policyRpc.decide.subject,
      (request: DecisionRequest): Decision => {
        this.asked.push(request);
        const usual = {
          id: randomUUID(),
          allowed: true,
          visible: true,
          policies: [],
          advice: [],
          revision: 1,
          reusable: false,
        };
        return { ...usual, ...this.decide.get(request.resource.project ?? '')?.(request) };
      },
      () => this.silent.has('policy'),
    );
    serve(connection, policyRpc.assess.subject, ({ questions }: { questions: AssessedQuestion[] }) => ({
      assessments: questions.map(({ principal: user, ...question }) => {
        const request = { ...question, principal: { user, tokenId: null } };
        this.assessed.push(request);
        const usual = { allowed: true, policies: [], advice: [] };
        return { ...usual, ...this.decide.get(request.resource.project ?? '')?.(request) };
      }),
    }));
    serve(connection, policyRpc.getTeam.subject, ({ team }: { team: string }) => {
      if (team === 'nobody') throw new BerthError('NOT_FOUND', 'There is no team "nobody".');
      return { name: team, createdAt: new Date().toISOString() };
    });
  }

  private answerQuota(connection: NatsConnection): void {
    const isSilent = (): boolean => this.silent.has('quota');
    const note = (kind: QuotaWord['kind']) => (data: QuotaWord['data']) => {
      this.quota.push({ kind, data });
      return {};
    };
    serve(
      connection,
      quotaRpc.reserve.subject,
      (data: Reservation) => {
        note('reserve')(data);
        const limits = this.limits.get(data.project) ?? [];
        return { reserved: limits.length === 0, limits };
      },
      isSilent,
    );
    for (const kind of ['commit', 'release', 'vacate'] as const)
      serve(connection, quotaRpc[kind].subject, note(kind), isSilent);
  }

  private resolve(reference: string): object {
    const image = Object.hasOwn(this.images, reference) ? this.images[reference] : undefined;
    if (!image) throw new BerthError('IMAGE_NOT_FOUND', `There is no image "${reference}".`);
    const config = {
      user: '1000:1000',
      entrypoint: [],
      command: [],
      exposedPorts: [],
      volumes: [],
      labels: {},
    };
    return {
      reference,
      repository: image.repository,
      digest: image.digest,
      platformDigest: image.digest,
      mediaType: image.mediaType,
      size: 1,
      cached: true,
      config: { ...config, hasHealthcheck: false, createdAt: null },
    };
  }
}

function open({ servers, user, pass, inboxPrefix }: NatsAccess): Promise<NatsConnection> {
  return connect({ servers, user, pass, inboxPrefix });
}

/** Answers in the packet format of Nest's NATS transport. */
function serve(
  connection: NatsConnection,
  subject: string,
  answer: Answer,
  isSilent: () => boolean = () => false,
): void {
  connection.subscribe(subject, {
    callback: (_error, message) => {
      if (isSilent()) return;
      const { id, data } = message.json<{ id: string; data: never }>();
      message.respond(JSON.stringify({ id, isDisposed: true, ...result(() => answer(data)) }));
    },
  });
}

function result(work: () => unknown): { response: unknown } | { err: Problem } {
  try {
    return { response: work() };
  } catch (error) {
    if (error instanceof BerthError) return { err: error.toProblem() };
    throw error;
  }
}
