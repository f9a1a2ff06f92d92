import { Module } from '@nestjs/common';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { IngressModule } from '../ingress/ingress.module.js';
import { ServicesController } from './services.controller.js';
import { ServicesService } from './services.js';

@Module({
  imports: [EnvironmentsModule, IngressModule],
  controllers: [ServicesController],
  providers: [ServicesService],
  exports: [ServicesService],
})
export class ServicesModule {}
