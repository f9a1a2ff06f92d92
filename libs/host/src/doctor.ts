import { existsSync, statSync } from 'node:fs';
import { credentialsFile, readCredentials } from './credentials.js';
import { engineVersion, isLocalEngine } from './engine.js';
import type { HostSettings, PortName } from './env.js';
import { gatherFacts } from './facts.js';
import type { Home } from './home.js';
import { isIsolated } from './isolation.js';
import { isPortFree } from './ports.js';
import { COMMAND_PACKAGES, planPrerequisites, type MachineFacts } from './prerequisites.js';
import { runningProcess } from './process.js';
import { readSecrets, tokenHash, type Secrets } from './secrets.js';
import { SERVICE_NAMES } from './service-names.js';
import { notReady } from './services.js';
import { isIngressUp } from './workloads.js';

/** One thing that was looked at. */
export interface Finding {
  name: string;
  state: 'ok' | 'missing' | 'broken';
  detail: string;
  /** What to do; absent when it is ok. */
  mend?: string;
}

const UP = './berth up';
const ANSWER_MS = 3_000;

/** Looks at all that the platform needs, and at what of it runs. Changes nothing. */
export async function examine(home: Home, settings: HostSettings): Promise<Finding[]> {
  const facts = await gatherFacts(home, settings);
  const machine = examineMachine(facts);
  const secrets = readSecrets(home);
  if (!secrets) {
    const detail = `no platform has been started with its state in ${home.folder}`;
    return [...machine, { name: 'platform', state: 'missing', detail, mend: UP }];
  }
  return [
    ...machine,
    ...(await examineParts(home, settings, secrets)),
    await examineWayIn(settings, secrets),
    ...(await examineIsolation(settings, facts, secrets)),
    ...examineTls(home, settings),
    examineSecrets(home),
    examineCredentials(settings, secrets),
  ];
}

/** What is installed. Pure: the same facts as `up` plans with. */
export function examineMachine(facts: MachineFacts): Finding[] {
  const { steps, obstacles } = planPrerequisites(facts, ['platform', 'sample']);
  const byHand = obstacles.length > 0;
  const missing = steps.map((step): Finding => {
    const byApt = `sudo apt-get install ${step.name}`;
    const mend = step.kind === 'package' && byHand ? byApt : `${UP} (it puts it in place)`;
    return { name: step.name, state: 'missing', detail: step.reason, mend };
  });
  const needed = Object.entries(COMMAND_PACKAGES).filter(
    ([, name]) => name !== 'docker-registry' && name !== 'skopeo',
  );
  const present = needed
    .filter(([command]) => (facts.commands as string[]).includes(command))
    .map(([command]): Finding => ({ name: command, state: 'ok', detail: 'installed' }));
  const inTheWay = obstacles.map((mend): Finding => {
    return { name: 'this machine', state: 'broken', detail: 'up can not make it ready by itself', mend };
  });
  return [...present, ...missing, ...inTheWay];
}

async function examineParts(home: Home, settings: HostSettings, secrets: Secrets): Promise<Finding[]> {
  const port = (name: PortName) => settings.ports[name] || (secrets.ports[name] ?? 0);
  const stores = (['postgres', 'nats'] as const).filter(
    (name) => name !== 'postgres' || !settings.postgresUrl,
  );
  const findings = await Promise.all([
    ...stores.map((name) => examineProcess(home, name, port(name))),
    ...SERVICE_NAMES.map((name) => examineProcess(home, name, port(name), `http://127.0.0.1:${port(name)}`)),
  ]);
  const engine = await engineVersion(settings.dockerHost);
  findings.push(
    engine
      ? { name: 'container engine', state: 'ok', detail: `Docker ${engine} at ${settings.dockerHost}` }
      : {
          name: 'container engine',
          state: 'broken',
          detail: `nothing answers at ${settings.dockerHost}`,
          mend: UP,
        },
  );
  return findings;
}

async function examineProcess(
  home: Home,
  name: (typeof SERVICE_NAMES)[number] | 'postgres' | 'nats',
  port: number,
  url?: string,
): Promise<Finding> {
  const log = home.logFile(name);
  const record = runningProcess(home.pidFile(name));
  if (!record) {
    const stranger = port !== 0 && !(await isPortFree(port));
    const detail = stranger ? `does not run, and another program has its port ${port}` : 'does not run';
    return {
      name,
      state: 'broken',
      detail,
      mend: stranger ? `free port ${port}, then ${UP}` : `${UP}; its log: ${log}`,
    };
  }
  const answer = url ? await notReady(url) : undefined;
  return answer === undefined
    ? { name, state: 'ok', detail: `runs as process ${record.pid}, port ${port}` }
    : {
        name,
        state: 'broken',
        detail: `runs, but is not ready: ${answer}`,
        mend: `see ${log}; ./berth down, then ${UP}`,
      };
}

/** Asks where requests come in: that its container runs says little. Any answer is its own, for no service has such a host. */
async function examineWayIn(
  { dockerHost, ingress, ports }: HostSettings,
  secrets: Secrets,
): Promise<Finding> {
  const name = 'way in';
  if (!isLocalEngine(dockerHost)) return { name, state: 'ok', detail: 'not here: the engine is elsewhere' };
  const port = ports.ingress || (secrets.ports.ingress ?? 0);
  const at = `${ingress.host.includes(':') ? `[${ingress.host}]` : ingress.host}:${port}`;
  if (!(await isIngressUp(dockerHost, secrets.installation))) {
    const stranger = port !== 0 && !(await isPortFree(port));
    return stranger
      ? {
          ...{ name, state: 'broken', detail: `does not run, and another program has its port ${port}` },
          mend: `free port ${port}, or choose another with BERTH_INGRESS_PORT; then ${UP}`,
        }
      : { name, state: 'broken', detail: 'does not run', mend: UP };
  }
  try {
    await fetch(`http://${at}/`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return { name, state: 'ok', detail: `runs, and answers at http://${at}` };
  } catch {
    const detail = `its container runs, but nothing answers at http://${at}`;
    return { name, state: 'broken', detail, mend: `docker logs berth-${secrets.installation}-ingress` };
  }
}

async function examineIsolation(
  settings: HostSettings,
  facts: MachineFacts,
  secrets: Secrets,
): Promise<Finding[]> {
  const name = 'isolation';
  if (!settings.isolation) return [{ name, state: 'ok', detail: 'turned off by BERTH_ISOLATION' }];
  if (!isLocalEngine(settings.dockerHost))
    return [{ name, state: 'ok', detail: 'not here: the engine is elsewhere' }];
  if (!facts.root)
    return [{ name, state: 'broken', detail: 'only root can see the rules', mend: 'sudo ./berth doctor' }];
  const detail = "containers can't reach the host and private networks";
  if (facts.commands.includes('iptables') && (await isIsolated(secrets.installation)))
    return [{ name, state: 'ok', detail }];
  return [{ name, state: 'broken', detail: 'the packet filter rules are not in place', mend: UP }];
}

function examineTls(home: Home, { ingress: { tls } }: HostSettings): Finding[] {
  const name = 'tls';
  if (tls.mode === 'off') return [];
  if (tls.mode === 'acme')
    return [{ name, state: 'ok', detail: `certificates from ${tls.directory || "Let's Encrypt"}` }];
  if (existsSync(home.ingressAuthority))
    return [{ name, state: 'ok', detail: `have clients trust ${home.ingressAuthority}` }];
  return [{ name, state: 'missing', detail: `there is no ${home.ingressAuthority} yet`, mend: UP }];
}

function examineSecrets(home: Home): Finding {
  const open = (statSync(home.secrets).mode & 0o077) !== 0;
  return open
    ? {
        name: 'secrets',
        state: 'broken',
        detail: `others can read ${home.secrets}`,
        mend: `chmod 600 ${home.secrets}`,
      }
    : { name: 'secrets', state: 'ok', detail: home.secrets };
}

function examineCredentials(settings: HostSettings, secrets: Secrets): Finding {
  const file = credentialsFile(settings.config);
  const mend = './berth login with a token of yours, or a new admin token: ./berth up --new-token';
  if (!existsSync(file))
    return { name: 'credentials', state: 'missing', detail: `there is no ${file}`, mend };
  const token = readCredentials(settings.config)?.token ?? '';
  const whose = tokenHash(token) === secrets.adminTokenSha256 ? "the admin's token" : 'a token of your own';
  return { name: 'credentials', state: 'ok', detail: `${whose} in ${file}` };
}
