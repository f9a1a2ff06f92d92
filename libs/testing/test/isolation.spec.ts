import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  applyIsolation,
  docker,
  isIsolated,
  removeIsolation,
  removeWorkloads,
  runCommand,
  tryCommand,
} from '@berth/host';
import { buildTestImage, eventually, testEngine, testInstallation, upstreamRegistry } from '../src/index.js';

/** Nothing here leaves the machine: what goes to private ranges is dropped, which the rules' counters tell. */
describe('isolation of guests', () => {
  const installation = testInstallation();
  const network = `berth-isolation-${installation}`;
  const label = `berth.installation=${installation}`;
  let engine: string;
  let host: Server;

  beforeAll(async () => {
    engine = await testEngine();
    // Fails where the engine is in a swarm already.
    await tryCommand('docker', ['swarm', 'init', '--advertise-addr', '127.0.0.1']);
    const files = { '/srv/index.html': 'from a guest' };
    await buildTestImage({ name: 'guest', cmd: ['httpd', '-f', '-p', '8080', '-h', '/srv'], files });
    const reference = `${(await upstreamRegistry()).address}/library/guest:1`;
    await docker(engine, 'network', 'create', '-d', 'overlay', '--attachable', '--label', label, network);
    const run = ['run', '-d', '--init', '--network', network, '--label', label];
    await docker(engine, ...run, '--name', `${network}-a`, '-p', '127.0.0.1::8080', reference);
    await docker(engine, ...run, '--name', `${network}-b`, reference);
    host = createServer((_request, response) => response.end('from the host')).listen(0);
    await once(host, 'listening');
    await applyIsolation(installation);
  });

  afterAll(async () => {
    host?.close();
    await removeIsolation(installation);
    await removeWorkloads(engine, installation);
  });

  function fetchFromGuest(url: string): Promise<string> {
    return docker(engine, 'exec', `${network}-a`, 'timeout', '1', 'wget', '-q', '-O', '-', url);
  }

  it("keeps them from the host's ports", async () => {
    const inspected = await docker(
      engine,
      'network',
      'inspect',
      'docker_gwbridge',
      '-f',
      '{{(index .IPAM.Config 0).Gateway}}',
    );
    const { port } = host.address() as AddressInfo;
    await expect(fetchFromGuest(`http://${inspected.trim()}:${port}/`)).rejects.toThrow();
    expect(await droppedBy(`BERTH-${installation}-IN`, '0.0.0.0/0')).toBeGreaterThan(0);
  });

  it('keeps them from private networks, and from the metadata service of clouds', async () => {
    const addresses: Record<string, string> = {
      '10.0.0.0/8': '10.98.76.5',
      '172.16.0.0/12': '172.31.254.5',
      '192.168.0.0/16': '192.168.254.5',
      '169.254.0.0/16': '169.254.169.254',
      '100.64.0.0/10': '100.64.254.5',
    };
    const tries = Object.values(addresses).map((address) => fetchFromGuest(`http://${address}/`));
    expect((await Promise.allSettled(tries)).map(({ status }) => status)).toEqual(
      tries.map(() => 'rejected'),
    );
    for (const range of Object.keys(addresses)) {
      expect(await droppedBy(`BERTH-${installation}-FWD`, range)).toBeGreaterThan(0);
    }
  });

  it('lets them reach each other by name', async () => {
    expect(await eventually(() => fetchFromGuest(`http://${network}-b:8080/`))).toBe('from a guest');
  });

  it('lets their published ports answer', async () => {
    const [address] = (await docker(engine, 'port', `${network}-a`, '8080')).trim().split('\n');
    expect(await eventually(async () => (await fetch(`http://${address}/`)).text())).toBe('from a guest');
  });

  it('is put in place again without doubling, and removed to the last rule', async () => {
    await applyIsolation(installation);
    expect(await rulesOf(installation, /^-A (INPUT|DOCKER-USER) /)).toHaveLength(4);
    expect(await isIsolated(installation)).toBe(true);
    await removeIsolation(installation);
    expect(await rulesOf(installation, /./)).toEqual([]);
    expect(await isIsolated(installation)).toBe(false);
  });
});

async function rulesOf(installation: string, kind: RegExp): Promise<string[]> {
  const rules = (await runCommand('iptables', ['-w', '-S'])).split('\n');
  return rules.filter((rule) => rule.includes(installation) && kind.test(rule));
}

async function droppedBy(chain: string, destination: string): Promise<number> {
  const lines = (await runCommand('iptables', ['-w', '-nvxL', chain])).split('\n');
  // pkts bytes target prot opt in out source destination
  const fields = lines.map((line) => line.trim().split(/\s+/));
  return fields
    .filter((field) => field[2] === 'DROP' && field[8] === destination)
    .reduce((sum, field) => sum + Number(field[0]), 0);
}
