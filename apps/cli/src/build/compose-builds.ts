import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Cli } from '../cli.js';
import type { ComposeFile } from '../compose-file.js';
import { CliError } from '../errors.js';
import { runBuild, type WantedBuild } from './run-build.js';

const Text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
/** The Compose Build Specification (github.com/compose-spec/compose-spec, build.md), as far as Berth does it. */
const Build = z.preprocess(
  (written) => (typeof written === 'string' ? { context: written } : written),
  z.strictObject({
    context: z.string().default('.'),
    dockerfile: z.string().optional(),
    target: z.string().optional(),
    args: z
      .union([
        z.array(z.string()),
        z
          .record(z.string(), Text)
          .transform((args) => Object.entries(args).map(([name, value]) => `${name}=${value}`)),
      ])
      .default([]),
    no_cache: z.boolean().default(false),
  }),
);

interface ServiceBuild extends Omit<WantedBuild, 'project'> {
  service: string;
}

/**
 * Builds what the services of a Compose file are built from, one after the other. Answers the references of the images, by service.
 */
export async function buildServices(
  cli: Cli,
  file: ComposeFile,
  project: string,
  log: (line: string) => void,
): Promise<Record<string, string>> {
  const images: Record<string, string> = {};
  for (const { service, ...build } of buildsOf(cli, file)) {
    const told = (line: string): void => log(`${service} | ${line}`);
    const { reference } = await runBuild(cli, { project, name: service, ...build }, told);
    images[service] = reference;
  }
  return images;
}

function buildsOf(cli: Cli, { path, text }: ComposeFile): ServiceBuild[] {
  const folder = path === '-' ? cli.folder : dirname(cli.resolve(path));
  return Object.entries(servicesOf(text)).flatMap(([service, definition]) => {
    const written = (definition as { build?: unknown } | null)?.build;
    return written === undefined || written === null ? [] : [{ service, ...read(service, written, folder) }];
  });
}

/** None where the file cannot be read: the gateway says what is wrong with it. */
function servicesOf(text: string): Record<string, unknown> {
  try {
    const document = parse(text, { logLevel: 'silent', merge: true }) as { services?: unknown } | null;
    const services = document?.services;
    return typeof services === 'object' && services !== null ? (services as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function read(service: string, written: unknown, folder: string): Omit<ServiceBuild, 'service'> {
  if (/\$(?!\$)/.test(JSON.stringify(written)))
    throw CliError.usage(
      `services.${service}.build has a variable in it`,
      'One image goes to all environments, so none of their variables counts in a build. Write the value down.',
    );
  const parsed = Build.safeParse(written);
  if (!parsed.success)
    throw CliError.usage(
      `services.${service}.build: ${z.prettifyError(parsed.error)}`,
      'It may have context, dockerfile, target, args and no_cache.',
    );
  const { context, args, no_cache: fresh, ...named } = parsed.data;
  return { folder: resolve(folder, context), arg: args, cache: !fresh, ...named };
}
