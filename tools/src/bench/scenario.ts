import { BenchApi } from './bench-api.js';
import type { BenchPlatform } from './bench-platform.js';
import type { Figure } from './figures.js';
import type { Door } from './first-answer.js';

/** What a scenario measures on, and tells. */
export interface Bench extends BenchPlatform {
  api: BenchApi;
  /** How often each thing is done that is compared. */
  rounds: number;
  /** For the one who waits. */
  progress(line: string): void;
}

/** One row of the numbers to hold. */
export interface Scenario {
  name: string;
  about: string;
  run(bench: Bench): Promise<Figure[]>;
}

export const HEALTHCHECK =
  'healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1:8080/", interval: 300ms, retries: 20 }';

/** A file with one service that speaks HTTP and answers what is in its variable `ANSWER`. */
export function webFile({ platform }: Bench, answer: string, ...more: string[]): string {
  return `
services:
  web:
    image: ${platform.registry}/demo/hello:1
    command: [sh, -c, 'echo "$$ANSWER" > /dev/shm/index.html; exec httpd -f -p 8080 -h /dev/shm']
    environment: { ANSWER: "${answer}" }
    stop_grace_period: 1s
    x-berth: { http: 8080 }
${more.map((text) => `    ${text}\n`).join('')}`;
}

/** Where the service of such a file answers requests that come in. */
export function doorOf({ platform, settings }: Bench, environment: string, service = 'web'): Door {
  return {
    port: platform.ports.ingress,
    host: `${service}.${environment}.sample.${settings.ingress.domain}:${platform.ports.ingress}`,
  };
}

/** How long it takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
