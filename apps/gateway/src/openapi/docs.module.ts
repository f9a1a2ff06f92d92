import { Module } from '@nestjs/common';
import { DocsController } from './docs.controller.js';
import { PublishedDocument } from './published-document.js';

/** The description of the gateway, for programs and for people. */
@Module({ controllers: [DocsController], providers: [PublishedDocument] })
export class DocsModule {}
