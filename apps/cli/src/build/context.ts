import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import dockerignore from '@balena/dockerignore';
import { pack } from 'tar-fs';
import { CliError } from '../errors.js';

/** A folder as a build gets it: what its `.dockerignore` names is left out (docs.docker.com/build/concepts/context). */
export function packContext(folder: string, dockerfile: string): Readable {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw CliError.usage(
      `${folder} is no folder`,
      'The context is the folder with what the build needs: `berth image build .`.',
    );
  if (!existsSync(join(folder, dockerfile)))
    throw CliError.usage(
      `there is no ${dockerfile} in ${folder}`,
      'Name it by its path in the folder: `berth image build . -f docker/Dockerfile`.',
    );
  const leftOut = ignoring(folder, dockerfile);
  const archive = pack(folder, {
    ignore: leftOut,
    // Whose they are here means nothing there.
    map: (header) => ({ ...header, uid: 0, gid: 0, uname: '', gname: '' }),
  });
  return Readable.from(archive as AsyncIterable<Buffer>);
}

function ignoring(folder: string, dockerfile: string): (path: string) => boolean {
  const rules = readRules(folder);
  if (rules.length === 0) return () => false;
  const ignored = dockerignore().add(rules);
  const hasExceptions = rules.some((rule) => rule.startsWith('!'));
  const needed = dockerfile.split('/');
  return (path) => {
    const name = relative(folder, path).split(sep).join('/');
    const isNeeded = needed.some((_part, index) => needed.slice(0, index + 1).join('/') === name);
    if (name === '' || isNeeded || !ignored.ignores(name)) return false;
    // There may be something in it that is not left out.
    return !(hasExceptions && lstatSync(path).isDirectory());
  };
}

function readRules(folder: string): string[] {
  const file = join(folder, '.dockerignore');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
