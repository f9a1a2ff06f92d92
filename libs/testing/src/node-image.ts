import { createRequire } from 'node:module';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { binaryFiles } from '@berth/host';
import { buildTestImage, type TestImage } from './image.js';
import { makeLayer, type ImageFile, type Layer } from './image-layers.js';

let node: Promise<Layer> | undefined;

/** Runs a CommonJS program with this machine's Node, and the package `ws` beside it. */
export async function nodeImage(name: string, program: string): Promise<TestImage> {
  return buildTestImage({
    ...{ name, busybox: false, layers: [await (node ??= nodeLayer())] },
    files: { '/app/main.js': program },
    cmd: ['/bin/node', '/app/main.js'],
  });
}

async function nodeLayer(): Promise<Layer> {
  const files: Record<string, ImageFile> = {};
  for (const { path, source } of await binaryFiles(process.execPath, '/bin/node'))
    files[path] = { content: readFileSync(source), mode: 0o755 };
  const ws = dirname(createRequire(__filename).resolve('ws/package.json'));
  for (const entry of readdirSync(ws, { recursive: true, encoding: 'utf8' }))
    if (entry.endsWith('.js') || entry.endsWith('.json'))
      files[`/app/node_modules/ws/${entry}`] = readFileSync(join(ws, entry), 'utf8');
  return makeLayer(files);
}
