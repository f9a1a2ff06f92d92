import { execFileSync } from 'node:child_process';
import type { TestPlatform } from '@berth/testing';

export interface EngineObjects {
  services: { name: string; image: string }[];
  networks: string[];
  containers: string[];
}

/** All that this platform has in the engine, as the docker command shows it. */
export function engineObjects({ dockerHost, installation }: TestPlatform): EngineObjects {
  // Of environments: the way in is the platform's own.
  const labels = [`berth.installation=${installation}`, 'berth.project'];
  const labelled = labels.flatMap((label) => ['--filter', `label=${label}`]);
  const docker = (...args: string[]): string[] =>
    execFileSync('docker', ['-H', dockerHost, ...args, ...labelled], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  const names = docker('service', 'ls', '--format', '{{.Name}}');
  return {
    services: names.map((name) => ({
      name,
      image: execFileSync(
        'docker',
        [
          '-H',
          dockerHost,
          'service',
          'inspect',
          name,
          '--format',
          '{{.Spec.TaskTemplate.ContainerSpec.Image}}',
        ],
        { encoding: 'utf8' },
      ).trim(),
    })),
    networks: docker('network', 'ls', '--format', '{{.Name}}'),
    // What was replaced ends by itself, and is nobody's any more.
    containers: docker('ps', '-a', '--format', `{{.Names}} {{.Label "com.docker.swarm.service.name"}}`)
      .map((line) => line.split(' '))
      .filter(([, service]) => service === '' || names.includes(service))
      .map(([name]) => name),
  };
}
