import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LOGGER, type Logger, newId } from '@berth/runtime';
import { POLICY_ENV, type PolicyEnv } from '../env.js';

interface Account {
  name: string;
  kind: 'user' | 'service';
  admin: boolean;
  scopes: string[];
  tokenHash: string | undefined;
}

/** Who makes users of people that the identity provider knows. Has no token. */
export const IDENTITY_PROVIDER_ACCOUNT = 'identity-provider';
export const FIRST_ACCOUNTS: readonly string[] = ['admin', 'engine', IDENTITY_PROVIDER_ACCOUNT];

/**
 * Makes the accounts that must be there before anybody can act: the first admin, the service account that the engine
 * pulls with, and the one that a login acts as until it is known whose it is. Each instance does so at its start; what is there is left as it is, so a revoked token stays revoked.
 */
@Injectable()
export class FirstAccounts implements OnModuleInit {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(POLICY_ENV) private readonly env: PolicyEnv,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.make({
      name: 'admin',
      kind: 'user',
      admin: true,
      scopes: ['*'],
      tokenHash: this.env.BERTH_ADMIN_TOKEN_SHA256,
    });
    await this.make({
      name: 'engine',
      kind: 'service',
      admin: false,
      scopes: ['image.pull'],
      tokenHash: this.env.BERTH_ENGINE_TOKEN_SHA256,
    });
    await this.make({
      name: IDENTITY_PROVIDER_ACCOUNT,
      kind: 'service',
      admin: false,
      scopes: [],
      tokenHash: undefined,
    });
  }

  private async make({ name, kind, admin, scopes, tokenHash }: Account): Promise<void> {
    const made: unknown[] = await this.dataSource.query(
      'INSERT INTO users (name, kind, admin) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING name',
      [name, kind, admin],
    );
    if (made.length > 0) this.logger.info({ user: name }, 'user.created-at-start');
    if (tokenHash === undefined) return;
    const issued: unknown[] = await this.dataSource.query(
      `INSERT INTO tokens (id, user_name, name, hash, scopes) VALUES ($1, $2, 'installation', $3, $4)
       ON CONFLICT (hash) DO NOTHING RETURNING id`,
      [newId(), name, tokenHash, scopes],
    );
    if (issued.length > 0) this.logger.info({ user: name }, 'token.created-at-start');
  }
}
