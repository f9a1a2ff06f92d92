import { Module } from '@nestjs/common';
import { RecordStore } from '../records/record-store.js';
import { IngestMetrics } from './ingest-metrics.js';
import { Ingest } from './ingest.js';

@Module({ providers: [RecordStore, IngestMetrics, Ingest] })
export class IngestModule {}
