import { Module } from '@nestjs/common';
import { ImagesController } from './images.controller.js';
import { UpstreamsController } from './upstreams.controller.js';

@Module({ controllers: [ImagesController, UpstreamsController] })
export class ImagesModule {}
