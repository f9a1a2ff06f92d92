import { Inject, Injectable } from '@nestjs/common';
import { InjectEntityManager } from '@nestjs/typeorm';
import { EntityManager } from 'typeorm';
import { BerthError, schedulerRpc, type AppliedRetention } from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { OciError } from '../http/oci-error.js';
import type { HostedName } from '../names/repository-name.js';
import { ImageRemoval } from '../remove/image-removal.js';
import { readContents } from './repository-contents.js';
import { chooseWhatGoes, SPARED_MS, type Choice, type Rule } from './retention-choice.js';
import { RetentionRules, teamOf } from './retention-rules.js';

/** What stood in the way of so many in a row stands in the way of the rest, too. */
const MOST_DENIALS = 10;

/** A rule, and what it is about. */
export interface ScopedRule extends Rule {
  scope: string;
}

/** A tag, or an image by its digest. */
interface Leaving {
  reference: string;
  digest: string;
  isTag: boolean;
}

/** `wanted`: by somebody since it was chosen, or gone already. */
type Outcome = 'gone' | 'wanted' | { denied: string };

/**
 * Lets images go by a rule, each an `image.delete` of its own: policy is asked about it, before and after, and the audit log has it. Never what
 * runs: where the scheduler does not say what does, nothing goes.
 */
@Injectable()
export class Retention {
  constructor(
    @InjectEntityManager() private readonly database: EntityManager,
    private readonly rules: RetentionRules,
    private readonly removal: ImageRemoval,
    @Inject(RpcClient) private readonly rpc: RpcClient,
  ) {}

  /** What would go now. */
  async preview(rule: ScopedRule): Promise<AppliedRetention> {
    const total: AppliedRetention = { tags: [], images: [], denied: [], more: false };
    for await (const { repository, choice } of this.choices(rule)) {
      total.tags.push(...choice.tags.map(({ name, digest }) => ({ repository, tag: name, digest })));
      total.images.push(...choice.images.map((digest) => ({ repository, digest })));
    }
    return total;
  }

  /** As the actor, until `deadline` (of `performance.now()`). */
  async apply(rule: ScopedRule, deadline: number): Promise<AppliedRetention> {
    const done: AppliedRetention = { tags: [], images: [], denied: [], more: false };
    for await (const { repository, choice } of this.choices(rule)) {
      const name: HostedName = { kind: 'hosted', name: repository, team: teamOf(repository) };
      const stay = new Set<string>();
      for (const leaving of leavingOf(choice)) {
        const { reference, digest, isTag } = leaving;
        if (done.denied.length >= MOST_DENIALS) return done;
        if (performance.now() > deadline) return { ...done, more: true };
        // An image whose tag stays.
        if (stay.has(digest)) continue;
        const outcome = await this.remove(name, leaving);
        if (outcome === 'wanted') continue;
        if (outcome === 'gone') {
          if (isTag) done.tags.push({ repository, tag: reference, digest });
          else done.images.push({ repository, digest });
        } else {
          stay.add(digest);
          done.denied.push({ repository, reference, reason: outcome.denied });
        }
      }
    }
    return done;
  }

  private async remove(name: HostedName, leaving: Leaving): Promise<Outcome> {
    const requireStill = leaving.isTag ? requireSame : requireUnwanted;
    try {
      await this.removal.remove(name, leaving.reference, (transaction) =>
        requireStill(name, leaving, transaction),
      );
      return 'gone';
    } catch (thrown) {
      if (thrown instanceof OciError && thrown.status < 500) return 'wanted';
      if (!(thrown instanceof BerthError)) throw thrown;
      if (thrown.code === 'CONFLICT') return 'wanted';
      if (thrown.code === 'POLICY_DENIED' || thrown.code === 'NOT_FOUND') return { denied: thrown.message };
      throw thrown;
    }
  }

  private async *choices(rule: ScopedRule): AsyncGenerator<{ repository: string; choice: Choice }> {
    const { digests } = await this.rpc.call(schedulerRpc.imagesInUse, { team: teamOf(rule.scope) });
    const inUse = new Set(digests);
    for (const repository of await this.rules.repositoriesOf(rule.scope)) {
      const contents = await readContents(this.database, repository);
      const choice = chooseWhatGoes(contents, rule, inUse, Date.now());
      if (choice.tags.length + choice.images.length > 0) yield { repository, choice };
    }
  }
}

function leavingOf({ tags, images }: Choice): Leaving[] {
  return [
    ...tags.map(({ name, digest }) => ({ reference: name, digest, isTag: true })),
    ...images.map((digest) => ({ reference: digest, digest, isTag: false })),
  ];
}

async function requireSame(
  { name }: HostedName,
  { reference, digest }: Leaving,
  transaction: EntityManager,
): Promise<void> {
  const [held] = await transaction.query<{ digest: string }[]>(
    'SELECT digest FROM tags WHERE repository = $1 AND name = $2 FOR UPDATE',
    [name, reference],
  );
  if (held?.digest !== digest) throw changed(`${name}:${reference}`);
}

async function requireUnwanted(
  { name }: HostedName,
  { digest }: Leaving,
  transaction: EntityManager,
): Promise<void> {
  // Held against whoever gives it a tag now.
  const held = await transaction.query<object[]>(
    `SELECT FROM manifests m WHERE repository = $1 AND digest = $2 AND used_at < $3
       AND NOT EXISTS (SELECT FROM tags t WHERE t.repository = $1 AND t.digest = $2) FOR UPDATE`,
    [name, digest, new Date(Date.now() - SPARED_MS)],
  );
  if (held.length === 0) throw changed(`${name}@${digest}`);
}

function changed(what: string): BerthError {
  return new BerthError('CONFLICT', `${what} is wanted again, or gone.`);
}
