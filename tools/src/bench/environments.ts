import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { BenchApi } from './bench-api.js';
import { startBenchPlatform } from './bench-platform.js';
import { holds, line, median, type Figure } from './figures.js';
import { SCENARIOS } from './scenarios/index.js';

const USAGE = `npm run bench:environments -- [SCENARIO ...] [--rounds N] [--json FILE]

${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}

All of them where none is named. Ends with 1 where a bar is missed.`;

interface Options {
  names: string[];
  rounds: number;
  json: string | undefined;
}

function readOptions(): Options | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '8' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  const unknown = positionals.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (values.help || unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) return undefined;
  return { names: positionals, rounds, json: values.json };
}

/** Runs the scenarios on a platform of its own, which is gone afterwards. */
async function main(): Promise<void> {
  const options = readOptions();
  if (!options) {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  const { names, rounds, json } = options;
  const started = await startBenchPlatform();
  const api = new BenchApi(started.platform);
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  const results: Record<string, Figure[]> = {};
  try {
    for (const { name, about, run } of SCENARIOS) {
      if (names.length > 0 && !names.includes(name)) continue;
      console.log(`${name}: ${about}`);
      results[name] = await run({ ...started, api, rounds, progress });
      for (const figure of results[name]) console.log(line(figure));
    }
  } finally {
    await started.remove();
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report(results), null, 2)}\n`);
  if (!Object.values(results).flat().every(holds)) process.exitCode = 1;
}

function report(results: Record<string, Figure[]>): object {
  const scenarios = Object.fromEntries(
    Object.entries(results).map(([name, figures]) => [
      name,
      figures.map((figure) => ({ ...figure, median: median(figure.values), holds: holds(figure) })),
    ]),
  );
  return { at: new Date().toISOString(), processors: cpus().length, scenarios };
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
