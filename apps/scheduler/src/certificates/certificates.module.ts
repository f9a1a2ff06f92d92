import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IngressModule } from '../ingress/ingress.module.js';
import { CertificateEntity } from './certificate.entity.js';
import { CertificatesController } from './certificates.controller.js';
import { CertificatesService } from './certificates.js';
import { KeyStoreModule } from './key-store.module.js';

@Module({
  imports: [TypeOrmModule.forFeature([CertificateEntity]), IngressModule, KeyStoreModule],
  controllers: [CertificatesController],
  providers: [CertificatesService],
})
export class CertificatesModule {}
