import { page, Service } from '@berth/contracts';
import type { Command } from 'commander';
import { openBrowser } from '../browser.js';
import type { Cli } from '../cli.js';
import { command, inEnvironment, type Common, type InEnvironment } from '../command.js';
import { projectName } from '../compose-file.js';
import { CliError, EXIT } from '../errors.js';
import { path } from '../http/path.js';

interface OpenOptions extends Common, InEnvironment {
  print?: boolean;
}

interface Place {
  name: string;
  url: string;
}

export function openCommand(cli: Cli): Command {
  return inEnvironment(
    command('open [service]', 'Open a service in the browser', [
      'open --env dev',
      'open web --env dev --print',
    ]),
  )
    .argument('[service]', 'its name (default: the only one that has a URL)')
    .option('--print', 'print the URL only; so it is where there is no browser')
    .action((service: string | undefined, options: OpenOptions) => open(cli, service, options));
}

async function open(cli: Cli, wanted: string | undefined, options: OpenOptions): Promise<void> {
  const project = projectName(cli, options.project);
  const environment = `${project}.${options.env}`;
  const place = path`/v1/projects/${project}/environments/${options.env}/services`;
  const { items } = await cli.api.get(place, page(Service));
  const { name, url } = choose(items, wanted, environment);
  if (options.json) return cli.output.json({ service: name, url });
  cli.output.line(url);
  if (options.print || !cli.output.stdout.isTTY) return;
  if (!(await openBrowser(url, cli.environment))) cli.output.note('(there is no browser here to open it in)');
}

function choose(services: readonly Service[], wanted: string | undefined, environment: string): Place {
  if (wanted !== undefined && !services.some(({ name }) => name === wanted))
    throw new CliError('NOT_FOUND', `there is no service "${wanted}" in ${environment}`, EXIT.notFound);
  const places = services
    .filter(({ name }) => wanted === undefined || name === wanted)
    .flatMap((service): Place[] => {
      const url = urlOf(service);
      return url === null ? [] : [{ name: service.name, url }];
    });
  if (places.length === 1) return places[0];
  if (places.length > 1)
    throw CliError.usage(
      `several services have a URL: ${places.map(({ name }) => name).join(', ')}; name one`,
    );
  throw new CliError(
    'NOT_FOUND',
    `no service of ${environment} has a URL${wanted === undefined ? '' : ` by the name "${wanted}"`}`,
    EXIT.notFound,
    'Give it a way in with `x-berth: { http: <port> }` in the Compose file.',
  );
}

/** Where requests come in, else the first port that this machine has of it. */
function urlOf({ url, ports }: Service): string | null {
  return url ?? ports.find((port) => port.url !== null)?.url ?? null;
}
