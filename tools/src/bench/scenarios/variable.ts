import { figure, type Figure } from '../figures.js';
import { firstAnswer } from '../first-answer.js';
import { doorOf, HEALTHCHECK, timed, webFile, type Bench, type Scenario } from '../scenario.js';

const BAR_MS = 10_000;
const ENVIRONMENT = 'bench-variable';

/** From the PUT of an environment's variables to the first answer with the new value. */
async function run(bench: Bench): Promise<Figure[]> {
  const { api, rounds } = bench;
  await api.makeEnvironment(ENVIRONMENT, { GREETING: 'before' });
  await api.succeeded(await api.deploy(ENVIRONMENT, webFile(bench, '${GREETING}', HEALTHCHECK)));
  const live: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const value = `value-${round}`;
    let changed: { deployment: { id: string } } | undefined;
    live.push(
      await timed(async () => {
        changed = await api.in(ENVIRONMENT, 'PUT', '', { variables: { GREETING: value } });
        await firstAnswer(doorOf(bench, ENVIRONMENT), value);
      }),
    );
    if (changed) await api.succeeded(changed.deployment);
  }
  await api.removeEnvironment(ENVIRONMENT);
  return [figure('a changed variable to the first answer with it', 'ms', live, BAR_MS)];
}

export const variable: Scenario = { name: 'variable', about: 'a changed variable is live in 10 s', run };
