import {
  bringUp,
  credentialsFile,
  curlCommand,
  Home,
  wayInAddress,
  type HostSettings,
  type Platform,
} from '@berth/host';
import type { Console } from './console.js';
import { prepareMachine } from './prepare.js';
import { deploySample } from './sample.js';

export interface UpOptions {
  sample: boolean;
  newToken: boolean;
}

/** `berth up`: makes the machine ready, starts the platform, and the sample if asked for. */
export async function up(settings: HostSettings, options: UpOptions, console: Console): Promise<void> {
  const home = new Home(settings.home);
  const { progress } = console;
  await prepareMachine(home, settings, options.sample ? ['platform', 'sample'] : ['platform'], progress);
  home.prepare();
  await home.exclusively(async () => {
    const platform = await bringUp(home, settings, { progress, newAdminToken: options.newToken });
    // The token is told before anything else can fail: it is shown this once.
    tellToken(platform, settings, console);
    const sampleUrl = options.sample ? await deploySample(home, settings, platform, progress) : undefined;
    const ask = sampleUrl && curlCommand(sampleUrl, wayInAddress(settings), authorityOf(home, settings));
    tellPlatform(platform, { url: sampleUrl, ask }, console);
    console.result({
      url: platform.url,
      registry: platform.registry,
      nats: platform.nats,
      ...(sampleUrl ? { sample: sampleUrl } : {}),
      ...(platform.adminToken ? { token: platform.adminToken } : {}),
    });
  });
}

function tellToken(
  { adminToken, keptCredentials }: Platform,
  settings: HostSettings,
  { tell }: Console,
): void {
  if (!adminToken) return;
  tell(
    `\nThe admin's token, shown this once (the berth command keeps it in ${credentialsFile(settings.config)}):`,
  );
  tell(`  ${adminToken}`);
  if (keptCredentials) tell(`  Credentials of another platform were there: moved to ${keptCredentials}`);
}

/** The root that certificates are held to where the platform makes them itself. */
function authorityOf(home: Home, { ingress: { domain, tls } }: HostSettings): string | undefined {
  const own = tls.mode === 'internal' || /(^|\.)localhost$/.test(domain);
  return own ? home.ingressAuthority : undefined;
}

interface Sample {
  url?: string;
  /** A command that asks it. */
  ask?: string;
}

function tellPlatform(platform: Platform, sample: Sample, { tell }: Console): void {
  const lines: [string, string][] = [
    ['Gateway', platform.url],
    ['API reference', `${platform.url}/docs`],
    ['Registry', platform.registry],
    ['NATS', platform.nats],
    ['Services', platform.services],
    ...(sample.url ? [['Sample', sample.url] as [string, string]] : []),
    ...(sample.ask ? [['Ask it', sample.ask] as [string, string]] : []),
    ['Audit trail', './berth audit ls'],
    ['To stop', './berth down'],
  ];
  tell('\nBerth is running.');
  for (const [name, value] of lines) tell(`  ${name.padEnd(14)} ${value}`);
}
