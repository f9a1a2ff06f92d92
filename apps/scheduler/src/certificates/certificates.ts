import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, type Repository } from 'typeorm';
import type { z } from 'zod';
import { ActionPipeline, requireActor } from '@berth/actions';
import {
  actions,
  BerthError,
  certificateRemovedEvent,
  certificateSetEvent,
  positionOf,
  toPage,
  type Certificate,
  type certificateRpc,
  type Page,
  PLATFORM,
} from '@berth/contracts';
import { draftEvent } from '@berth/messaging';
import { SCHEDULER_ENV, type SchedulerEnv } from '../env.js';
import { Ingress } from '../ingress/ingress.js';
import { CertificateEntity, toCertificate } from './certificate.entity.js';
import { checkCertificate } from './check-certificate.js';
import { KeyStore } from './key-store.js';

type Set = z.infer<typeof certificateRpc.set.request>;
type List = z.infer<typeof certificateRpc.list.request>;

/** Certificates that were brought: shown to clients in place of those that are made, their keys to nobody. */
@Injectable()
export class CertificatesService {
  constructor(
    @InjectRepository(CertificateEntity) private readonly certificates: Repository<CertificateEntity>,
    private readonly pipeline: ActionPipeline,
    private readonly keys: KeyStore,
    private readonly ingress: Ingress,
    @Inject(SCHEDULER_ENV) private readonly env: SchedulerEnv,
  ) {}

  /** Throws CERTIFICATE_INVALID, and CONFLICT where nothing is served over TLS. */
  async set({ host, certificate, key }: Set): Promise<Certificate> {
    const intent = { action: actions.certificateSet, resource: PLATFORM, context: { host } };
    const createdBy = requireActor().user;
    const made = await this.pipeline.change(intent, async (tx) => {
      if (this.env.BERTH_INGRESS_TLS === 'off') throw isOff();
      const { key: plain, ...checked } = checkCertificate(host, certificate, key);
      await tx.query('LOCK TABLE certificates IN SHARE ROW EXCLUSIVE MODE');
      const version = ((await tx.findOneBy(CertificateEntity, { host }))?.version ?? 0) + 1;
      const sealed = this.keys.seal({ host, version }, plain);
      const row = { host, version, ...checked, ...sealed, createdBy, createdAt: new Date() };
      await tx.upsert(CertificateEntity, row, ['host']);
      const result = toCertificate(row);
      return { result, outcome: {}, events: [draftEvent(certificateSetEvent, {}, result)] };
    });
    this.ingress.wake();
    return made;
  }

  async remove(host: string): Promise<Record<string, never>> {
    const intent = { action: actions.certificateRemove, resource: PLATFORM, context: { host } };
    await this.pipeline.change(intent, async (tx) => {
      const { affected } = await tx.delete(CertificateEntity, { host });
      if (!affected) throw new BerthError('NOT_FOUND', `No certificate was brought for "${host}".`);
      return { result: {}, outcome: {}, events: [draftEvent(certificateRemovedEvent, {}, { host })] };
    });
    this.ingress.wake();
    return {};
  }

  list({ limit, cursor }: List): Promise<Page<Certificate>> {
    const intent = { action: actions.certificateList, resource: PLATFORM, context: {} };
    return this.pipeline.read(intent, async () => {
      const rows = await this.certificates.find({
        where: { host: MoreThan(positionOf(cursor, 'host')) },
        order: { host: 'ASC' },
        take: limit + 1,
      });
      return toPage(rows, limit, toCertificate, ({ host }) => ({ host }));
    });
  }
}

function isOff(): BerthError {
  return new BerthError(
    'CONFLICT',
    'Nothing is served over TLS. Start the platform with BERTH_INGRESS_TLS=internal or acme first.',
  );
}
