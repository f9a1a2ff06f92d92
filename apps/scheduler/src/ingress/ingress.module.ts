import { Module } from '@nestjs/common';
import { KeyStoreModule } from '../certificates/key-store.module.js';
import { Ingress } from './ingress.js';

@Module({ imports: [KeyStoreModule], providers: [Ingress], exports: [Ingress] })
export class IngressModule {}
