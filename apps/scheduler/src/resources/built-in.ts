import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Beside the sources as beside what is built of them. */
const FOLDER = join(__dirname, '..', '..', 'catalog');
const SUFFIX = '.yaml';

/** The files of the entries that come with Berth, by name. Read once. */
export const builtIn: ReadonlyMap<string, string> = new Map(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(SUFFIX))
    .sort()
    .map((file) => [file.slice(0, -SUFFIX.length), readFileSync(join(FOLDER, file), 'utf8')]),
);
