import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  answersAt,
  BUSYBOX_COMMANDS,
  busyboxFiles,
  dockerEnvironment,
  findBusybox,
  inheritedEnvironment,
  layOut,
  readCredentials,
  readJsonFile,
  REPOSITORY,
  runCommand,
  serviceUrl,
  waitUntil,
  wayInAddress,
  writeAtomically,
  type Home,
  type HostSettings,
  type Platform,
  type Progress,
} from '@berth/host';
import { SetupError } from './console.js';
import { Gateway } from './gateway.js';

const FOLDER = join(REPOSITORY, 'samples', 'hello');
const COMPOSE = join(FOLDER, 'compose.yaml');
const TEAM = 'demo';
const PROJECT = 'sample';
const ENVIRONMENT = 'dev';
const SERVICE = 'web';

/** Remembers what was deployed, so that a second run has nothing to do. */
interface SampleNote {
  hash: string;
}

/**
 * Deploys the sample project through the platform's own doors: its image is built here and pushed to the registry, all
 * else goes through the gateway and the berth command. Returns the URL where it answers.
 */
export async function deploySample(
  home: Home,
  settings: HostSettings,
  platform: Platform,
  progress: Progress,
): Promise<string> {
  const url = serviceUrl(settings, platform.ports, `${SERVICE}.${ENVIRONMENT}.${PROJECT}`);
  const answers = (): Promise<boolean> => answersInTime(url, wayInAddress(settings), 15_000);
  const noteFile = join(home.folder, 'sample.json');
  const hash = sampleHash(platform, url);
  if (readJsonFile<SampleNote>(noteFile)?.hash === hash && (await answers())) return url;

  const token = platform.adminToken ?? storedToken(settings, platform);
  const gateway = new Gateway(platform.url, token);
  progress(`sample: team ${TEAM}, project ${PROJECT}, environment ${ENVIRONMENT}`);
  await gateway.ensure('/v1/teams', { name: TEAM });
  await gateway.ensure('/v1/projects', { name: PROJECT, team: TEAM });
  const variables = { REGISTRY: platform.registry };
  await gateway.ensure(`/v1/projects/${PROJECT}/environments`, { name: ENVIRONMENT, variables });

  await publishImage(home, settings, { registry: platform.registry, token, progress });
  progress(`sample: berth deploy -f ${COMPOSE} --project ${PROJECT} --env ${ENVIRONMENT}`);
  const command = ['deploy', '-f', COMPOSE, '--project', PROJECT, '--env', ENVIRONMENT];
  await runCommand(process.execPath, [join(REPOSITORY, 'apps', 'cli', 'dist', 'main.js'), ...command], {
    env: { ...inheritedEnvironment(), NO_COLOR: '1', BERTH_URL: platform.url, BERTH_TOKEN: token },
    onOutput: (chunk) =>
      chunk
        .split('\n')
        .filter((line) => line.trim())
        .forEach((line) => progress(`sample: ${line.trim()}`)),
  });
  if (!(await answers()))
    throw new SetupError(`The sample was deployed, but ${url} does not answer. See: ./berth doctor`);
  writeAtomically(noteFile, JSON.stringify({ hash } satisfies SampleNote), 0o600);
  return url;
}

interface Target {
  registry: string;
  token: string;
  progress: Progress;
}

/** Builds the sample's image and pushes it, as anyone does with docker, but with a login of its own. */
async function publishImage(home: Home, settings: HostSettings, target: Target): Promise<void> {
  const image = `${target.registry}/${TEAM}/hello:1`;
  const work = mkdtempSync(join(tmpdir(), 'berth-sample-'));
  const env = { ...dockerEnvironment(settings.dockerHost), DOCKER_CONFIG: join(work, 'config') };
  try {
    const context = join(work, 'context');
    await layOutContext(home, context);
    target.progress(`sample: docker build, docker push ${image}`);
    await runCommand('docker', ['build', '--tag', image, context], { env });
    // Written rather than `docker login`: the user's own logins stay as they are.
    mkdirSync(join(work, 'config'), { mode: 0o700 });
    const auth = Buffer.from(`admin:${target.token}`).toString('base64');
    writeFileSync(
      join(work, 'config', 'config.json'),
      JSON.stringify({ auths: { [target.registry]: { auth } } }),
      {
        mode: 0o600,
      },
    );
    await runCommand('docker', ['push', image], { env });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function layOutContext(home: Home, context: string): Promise<void> {
  cpSync(join(FOLDER, 'image'), context, { recursive: true });
  const rootfs = join(context, 'rootfs');
  const busybox = findBusybox(home.packages);
  if (!busybox) throw new SetupError('There is no busybox to make the image of the sample from.');
  layOut(await busyboxFiles(busybox), rootfs);
  for (const name of BUSYBOX_COMMANDS) symlinkSync('busybox', join(rootfs, 'bin', name));
  mkdirSync(join(rootfs, 'tmp'));
}

/** Over all that decides what the sample is: its files, and where it is to answer and come from. */
function sampleHash(platform: Platform, url: string): string {
  const hash = createHash('sha256').update(`${platform.installation} ${platform.registry} ${url}`);
  const files = readdirSync(FOLDER, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash.update(path.slice(FOLDER.length)).update(readFileSync(path));
  }
  return hash.digest('hex');
}

function storedToken(settings: HostSettings, platform: Platform): string {
  const stored = readCredentials(settings.config);
  if (stored?.url === platform.url) return stored.token;
  throw new SetupError(
    `The token for ${platform.url} is not in ${settings.config}. Make a new one: ./berth up --sample --new-token`,
  );
}

/** A guest that was just started again takes a moment. */
function answersInTime(url: string, address: string, timeoutMs: number): Promise<boolean> {
  return waitUntil(() => answersAt(url, address), timeoutMs, 100);
}
