import { figure, type Figure } from '../figures.js';
import { firstAnswer } from '../first-answer.js';
import { doorOf, timed, webFile, type Bench, type Scenario } from '../scenario.js';

const BAR_MS = 8_000;
const ENVIRONMENT = 'bench-redeploy';
/** As people write them. */
const CHECK =
  'healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1:8080/", interval: 2s, retries: 5 }';

/** Two services, one after the other, both changed: nothing is at rest that a redeploy could save. */
function file(bench: Bench, answer: string): string {
  return `${webFile(bench, answer, CHECK, 'depends_on: { api: { condition: service_healthy } }')}
  api:
    image: ${bench.platform.registry}/demo/hello:1
    command: [httpd, -f, -p, '8080', -h, /srv/api]
    environment: { ANSWER: "${answer}" }
    stop_grace_period: 1s
    ${CHECK}
`;
}

/** From the POST of a changed file whose images are there, to the first answer of what it changed, and to its end. */
async function run(bench: Bench): Promise<Figure[]> {
  const { api, rounds } = bench;
  await api.makeEnvironment(ENVIRONMENT);
  await api.succeeded(await api.deploy(ENVIRONMENT, file(bench, 'before')));
  const traffic: number[] = [];
  const end: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const answer = `answer-${round}`;
    end.push(
      await timed(async () => {
        const started = performance.now();
        const deployment = await api.deploy(ENVIRONMENT, file(bench, answer));
        await firstAnswer(doorOf(bench, ENVIRONMENT), answer);
        traffic.push(performance.now() - started);
        await api.succeeded(deployment);
      }),
    );
  }
  await api.removeEnvironment(ENVIRONMENT);
  return [
    figure('redeploy of two services to traffic', 'ms', traffic, BAR_MS),
    figure('redeploy of two services to its end', 'ms', end),
  ];
}

export const redeploy: Scenario = { name: 'redeploy', about: 'a cached redeploy has traffic in 8 s', run };
