import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { Controller, Get, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '@berth/actions';
import { BerthError } from '@berth/contracts';
import type { FastifyReply } from 'fastify';
import { PublishedDocument } from './published-document.js';

// Swagger UI styles elements in place; it needs nothing else that is not a file of ours.
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Berth: REST interface</title>
    <link rel="icon" href="docs/favicon-32x32.png" />
    <link rel="stylesheet" href="docs/swagger-ui.css" />
  </head>
  <body>
    <div id="page"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

const START = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#page',
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
`;

/** Files of swagger-ui-dist that the page uses, by their media type. */
const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};
const FOLDER = dirname(require.resolve('swagger-ui-dist/package.json'));

/** `/openapi.json`, and the same to browse at `/docs`: works with no network but ours. */
@ApiExcludeController()
@Public('the description of the interface: the same for everybody, and no secret')
@Controller()
export class DocsController {
  constructor(private readonly document: PublishedDocument) {}

  @Get('openapi.json')
  openapi(@Res({ passthrough: true }) reply: FastifyReply): string {
    void reply.header('content-type', 'application/json; charset=utf-8');
    return this.document.text;
  }

  @Get('docs')
  page(@Res({ passthrough: true }) reply: FastifyReply): string {
    void reply.headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': PAGE_POLICY,
    });
    return PAGE;
  }

  @Get('docs/:file')
  file(
    @Param('file') file: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): string | StreamableFile {
    if (file === 'start.js') {
      void reply.header('content-type', 'text/javascript; charset=utf-8');
      return START;
    }
    if (!Object.hasOwn(FILES, file)) throw new BerthError('NOT_FOUND', `There is no /docs/${file}.`);
    void reply.header('cache-control', 'public, max-age=86400');
    return new StreamableFile(createReadStream(join(FOLDER, file)), { type: FILES[file] });
  }
}
