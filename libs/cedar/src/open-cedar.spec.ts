import { spawnSync } from 'node:child_process';
import { CEDAR_FLAGS, CEDAR_MODULE } from './open-cedar.js';

/** Optimises a call of Cedar, and has that code given up in the middle of a call. */
const PROGRAM = `
const cedar = require(process.argv[1]);
cedar.preparsePolicySet('it', { staticPolicies: { it: 'permit (principal, action, resource);' } });
const uid = { type: 'T', id: 'a' };
const call = { principal: uid, action: { type: 'Action', id: 'x' }, resource: uid, context: {}, entities: [], preparsedPolicySetId: 'it' };
const decide = () => cedar.statefulIsAuthorized(call).response.decision;
const stringify = JSON.stringify;
let armed = false;
JSON.stringify = (value) => {
  if (armed) {
    %DeoptimizeFunction(cedar.statefulIsAuthorized);
    %DeoptimizeFunction(decide);
  }
  return stringify(value);
};
%PrepareFunctionForOptimization(cedar.statefulIsAuthorized);
%PrepareFunctionForOptimization(decide);
for (let round = 0; round < 100; round += 1) decide();
%OptimizeFunctionOnNextCall(cedar.statefulIsAuthorized);
%OptimizeFunctionOnNextCall(decide);
decide();
armed = true;
console.log(decide());
`;

const run = (flags: readonly string[]) =>
  spawnSync(process.execPath, ['--allow-natives-syntax', ...flags, '-e', PROGRAM, CEDAR_MODULE], {
    encoding: 'utf8',
  });

describe('the flags that Cedar runs with', () => {
  it('are known to this Node', () => {
    expect(run(CEDAR_FLAGS).stderr).toBe('');
  });

  it('keep the process alive when optimised code is given up during a call', () => {
    expect(run(CEDAR_FLAGS)).toMatchObject({ status: 0, stdout: 'allow\n' });
  });
});
