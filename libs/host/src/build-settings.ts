import { parseBytes } from '@berth/contracts';

/** What the scheduler is told of builds, as variables of its own; what is left out has its default there. */
export type BuildSettings = Record<string, string>;

/** `BERTH_BUILD_CPUS`, `BERTH_BUILD_MEMORY`: what one may use. `BERTH_BUILDS`: how many go on at once. Throws an Error that names the variable. */
export function readBuildSettings(env: NodeJS.ProcessEnv): BuildSettings {
  return {
    ...read(
      env,
      'BERTH_BUILD_CPUS',
      'SCHEDULER_BUILD_CPUS',
      'a number of cores such as 1.5',
      (text) => Number(text) > 0,
    ),
    ...read(
      env,
      'BERTH_BUILD_MEMORY',
      'SCHEDULER_BUILD_MEMORY',
      'a size such as 2GiB',
      (text) => parseBytes(text) !== null,
    ),
    ...read(env, 'BERTH_BUILDS', 'SCHEDULER_BUILDS', 'a whole number from 1 to 100', (text) =>
      /^([1-9]\d?|100)$/.test(text),
    ),
  };
}

function read(
  env: NodeJS.ProcessEnv,
  name: string,
  told: string,
  expected: string,
  isValid: (text: string) => boolean,
): BuildSettings {
  const text = env[name];
  if (text === undefined || text === '') return {};
  if (!isValid(text)) throw new Error(`${name} must be ${expected}, not "${text}".`);
  return { [told]: text };
}
