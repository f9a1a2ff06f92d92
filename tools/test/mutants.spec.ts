import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutate } from '../src/mutation/main.js';
import { MUTANTS } from '../src/mutation/mutants.js';

test.each(MUTANTS)('there is something to take out: $name', (mutant) => {
  const source = readFileSync(join(__dirname, '..', '..', mutant.file), 'utf8');
  expect(mutate(source, mutant)).not.toBe(source);
});
