import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { buildOpenApi } from './document.js';
import { previewGateway } from './preview.js';

/** `node dist/openapi/main.js <file>`: writes the document. */
async function main(file: string): Promise<void> {
  writeFileSync(file, `${JSON.stringify(buildOpenApi(await previewGateway()), null, 2)}\n`);
}

void main(process.argv[2]);
