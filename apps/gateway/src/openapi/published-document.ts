import { Injectable } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

/** The OpenAPI document as text; made once the routes are known. */
@Injectable()
export class PublishedDocument {
  text = '';

  set(document: OpenAPIObject): void {
    this.text = JSON.stringify(document);
  }
}
