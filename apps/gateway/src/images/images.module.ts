import { Module } from '@nestjs/common';
import { ImagesController } from './images.controller.js';
import { RetentionController } from './retention.controller.js';
import { UpstreamsController } from './upstreams.controller.js';

@Module({ controllers: [ImagesController, RetentionController, UpstreamsController] })
export class ImagesModule {}
