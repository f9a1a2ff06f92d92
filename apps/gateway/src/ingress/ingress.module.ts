import { Module } from '@nestjs/common';
import { IngressController } from './ingress.controller.js';

@Module({ controllers: [IngressController] })
export class IngressModule {}
