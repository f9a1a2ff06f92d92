import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { writeBootFile } from './boot-file.js';
import { BOOT_CONFIG } from './config.js';

const WHOLE = JSON.stringify(BOOT_CONFIG);
/** Reads the file for a second, and prints what it saw that is not the whole of it. */
const READER = `
const { readFileSync } = require('node:fs');
const [file, whole] = process.argv.slice(1);
const seen = new Set();
process.stdout.write('ready\\n');
for (const end = Date.now() + 1000; Date.now() < end; ) {
  const text = readFileSync(file, 'utf8');
  if (text !== whole) seen.add(text);
}
process.stdout.write(JSON.stringify([...seen]));
`;

describe('the file that the way in starts with', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-boot-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('is whole to whoever reads it while it is written again and again', async () => {
    writeBootFile(folder);
    const file = join(folder, 'boot.json');
    const reader = spawn(process.execPath, ['-e', READER, file, WHOLE], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    reader.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
    const ended = once(reader, 'close').then(() => true);
    let writes = 0;
    while (!(await Promise.race([ended, turn(false)]))) {
      writeBootFile(folder);
      writes += 1;
    }
    expect(writes).toBeGreaterThan(100);
    expect(told).toBe('ready\n[]');
  });

  it('is mended when it holds something else', () => {
    writeBootFile(folder);
    writeFileSync(join(folder, 'boot.json'), '');
    writeBootFile(folder);
    expect(readFileSync(join(folder, 'boot.json'), 'utf8')).toBe(WHOLE);
  });
});
