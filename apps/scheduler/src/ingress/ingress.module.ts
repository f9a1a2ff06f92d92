import { Module } from '@nestjs/common';
import { Ingress } from './ingress.js';

@Module({ providers: [Ingress], exports: [Ingress] })
export class IngressModule {}
