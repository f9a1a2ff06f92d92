import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from '@berth/host';
import { format, resolveConfig } from 'prettier';
import { buildAsyncApi } from './asyncapi.js';
import { actionsPage, errorsPage } from './reference.js';

/** Writes what is generated and committed under `docs/`; specs tell when it is behind. */
async function main(): Promise<void> {
  await write('openapi.json', gatewaysOpenApi());
  await write('asyncapi.json', JSON.stringify(buildAsyncApi()));
  await write('reference/actions.md', actionsPage());
  await write('reference/errors.md', errorsPage());
}

/** The gateway describes itself, as a process of its own: tools import no app. */
function gatewaysOpenApi(): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-generate-'));
  try {
    const file = join(folder, 'openapi.json');
    execFileSync(process.execPath, [join(REPOSITORY, 'apps/gateway/dist/openapi/main.js'), file], {
      stdio: 'inherit',
    });
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function write(name: string, text: string): Promise<void> {
  const path = join(REPOSITORY, 'docs', name);
  const options = await resolveConfig(path);
  writeFileSync(path, await format(text, { ...options, filepath: path }));
  process.stdout.write(`docs/${name}\n`);
}

void main();
