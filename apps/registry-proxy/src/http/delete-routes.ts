import { Injectable } from '@nestjs/common';
import { actions } from '@berth/contracts';
import { ImageRemoval } from '../remove/image-removal.js';
import type { Route } from './route.js';

/** The routes that take away (OCI distribution spec 1.1, "Content Management"). */
@Injectable()
export class DeleteRoutes {
  readonly routes: readonly Route[] = [
    {
      id: '/v2/<name>/manifests/<reference>',
      methods: ['DELETE'],
      pattern: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
      performs: actions.imageDelete,
      handle: async (exchange, { name, reference }) => {
        await this.removal.remove(name, reference);
        exchange.answer(202, {}, '');
      },
    },
    {
      id: '/v2/<name>/blobs/<digest>',
      methods: ['DELETE'],
      pattern: /^\/v2\/(.+)\/blobs\/([^/]+)$/,
      performs: actions.imageDelete,
      handle: async (exchange, { name, reference }) => {
        await this.removal.removeBlob(name, reference);
        exchange.answer(202, {}, '');
      },
    },
  ];

  constructor(private readonly removal: ImageRemoval) {}
}
