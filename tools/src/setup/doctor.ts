import { examine, Home, type HostSettings } from '@berth/host';
import type { Console } from './console.js';

const MARKS = { ok: 'ok     ', missing: 'missing', broken: 'broken ' } as const;

/** `berth doctor`: what is missing or broken, and how to mend it. Changes nothing. Returns whether all is well. */
export async function doctor(settings: HostSettings, console: Console): Promise<boolean> {
  const findings = await examine(new Home(settings.home), settings);
  for (const { name, state, detail, mend } of findings) {
    console.tell(`${MARKS[state]}  ${name}: ${detail}`);
    if (mend) console.tell(`         mend it: ${mend}`);
  }
  const healthy = findings.every(({ state }) => state === 'ok');
  console.result({ healthy, checks: findings });
  return healthy;
}
