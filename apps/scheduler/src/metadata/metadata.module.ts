import { Module } from '@nestjs/common';
import { IngressModule } from '../ingress/ingress.module.js';
import { MetadataDoor } from './metadata-door.js';
import { MetadataRequests } from './metadata-requests.js';
import { Metadata } from './metadata.js';
import { Watches } from './watches.js';

@Module({ imports: [IngressModule], providers: [Metadata, Watches, MetadataRequests, MetadataDoor] })
export class MetadataModule {}
