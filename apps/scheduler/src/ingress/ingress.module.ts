import { Module } from '@nestjs/common';
import { KeyStoreModule } from '../certificates/key-store.module.js';
import { IngressController } from './ingress.controller.js';
import { IngressStatus } from './ingress-status.js';
import { Ingress } from './ingress.js';

@Module({
  imports: [KeyStoreModule],
  controllers: [IngressController],
  providers: [Ingress, IngressStatus],
  exports: [Ingress],
})
export class IngressModule {}
