/** Names the folder of this test run to Jest's workers, which inherit the environment of the process that set it. */
const RUN_FOLDER = 'BERTH_TEST_RUN';

/** The folder of the run that this process belongs to. Throws outside Jest, or without its global set-up. */
export function runFolder(): string {
  const folder = process.env[RUN_FOLDER];
  if (!folder) throw new Error('There is no test run: tools/jest-global-setup.js starts one.');
  return folder;
}

export function setRunFolder(folder: string): void {
  process.env[RUN_FOLDER] = folder;
}
