import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalog, ERRORS, eventCatalog } from '@berth/contracts';
import { buildAsyncApi } from '../src/generate/asyncapi.js';
import { actionsPage, errorsPage } from '../src/generate/reference.js';

const docs = join(__dirname, '../../docs');
const read = (name: string): string => readFileSync(join(docs, name), 'utf8');
/** Without what a formatter adds to a table. */
const bare = (text: string): string => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');

test('docs/asyncapi.json is what the event catalog says; "npm run generate" writes it', () => {
  expect(JSON.parse(read('asyncapi.json'))).toEqual(buildAsyncApi());
});

test('the pages of actions and errors are what the catalogs say', () => {
  expect(bare(read('reference/actions.md'))).toBe(bare(actionsPage()));
  expect(bare(read('reference/errors.md'))).toBe(bare(errorsPage()));
  for (const name of catalog.keys()) expect(actionsPage()).toContain(`\`${name}\``);
  for (const code of Object.keys(ERRORS)) expect(errorsPage()).toContain(`\`${code}\``);
});

test('each event has a channel and a message, and every reference leads somewhere', () => {
  const document = buildAsyncApi() as { channels: Record<string, { address: string }> };
  expect(Object.keys(document.channels).sort()).toEqual([...eventCatalog.keys()].sort());
  expect(document.channels['deployment.failed.v1'].address).toBe(
    'berth.events.{team}.{project}.{environment}.deployment.failed.v1',
  );
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path);
  for (const reference of new Set(references)) {
    const target = reference
      .split('/')
      .reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], document);
    expect([reference, target]).toEqual([reference, expect.any(Object)]);
  }
});
