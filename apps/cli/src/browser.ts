import { spawn } from 'node:child_process';
import type { CliEnvironment } from './env.js';

const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', linux: 'xdg-open' };

/** Opens a page in the browser of whoever sits here; false where there is none. */
export function openBrowser(url: string, { display }: CliEnvironment): Promise<boolean> {
  const opener = OPENERS[process.platform];
  // Without a display, xdg-open would start a browser in this terminal.
  const possible = opener && (process.platform !== 'linux' || display) && /^https?:/.test(url);
  if (!possible) return Promise.resolve(false);
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
