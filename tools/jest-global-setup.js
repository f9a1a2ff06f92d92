// Starts a test run and sees to its end, however it comes. Its parts start when a spec first asks for them.
const { execFileSync } = require('node:child_process');
const { join } = require('node:path');

module.exports = async () => {
  // Jest loads this file without the sources' transform: take the build, made when stale.
  execFileSync(join(__dirname, '..', 'berth'), ['build', 'testing'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const { endRun, startRun } = require('../libs/testing/dist/run.js');
  const folder = await startRun();

  let ending;
  const end = () => (ending ??= endRun(folder));
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]) {
    process.on(signal, () => {
      process.stderr.write(`\n${signal}: cleaning up\n`);
      void end().finally(() => process.exit(code));
    });
  }
  globalThis.endTestRun = end;
};
