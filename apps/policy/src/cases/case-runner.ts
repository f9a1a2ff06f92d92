import type { PolicyCase, PolicyCaseResult, PolicyTestReport } from '@berth/contracts';
import type { Verdict } from '../decisions/verdict.js';
import type { PolicyJudge } from '../simulation/policy-judge.js';
import { questionOf } from './case-question.js';

/** Asks each case, and says which are answered otherwise than expected. Throws VALIDATION_FAILED for one that cannot be asked. */
export function runCases(judge: PolicyJudge, cases: readonly PolicyCase[]): PolicyTestReport {
  const questions = cases.map(questionOf);
  const results = cases.map((one, index): PolicyCaseResult => {
    const verdict = judge.judge(questions[index]);
    const problem = problemOf(one, verdict);
    const { allowed, policies } = verdict;
    return { name: one.name, passed: problem === null, allowed, policies, problem };
  });
  const failed = results.filter(({ passed }) => !passed).length;
  return { passed: results.length - failed, failed, cases: results };
}

function problemOf({ expect, policies }: PolicyCase, { allowed, policies: answers }: Verdict): string | null {
  const decided = allowed ? 'allow' : 'deny';
  const ids = answers.map(({ id }) => id);
  if (decided !== expect) return `expected ${expect}, and it is ${decided} by ${ids.join(', ')}`;
  const missing = (policies ?? []).filter((id) => !ids.includes(id));
  if (missing.length === 0) return null;
  return `expected ${decided} by ${missing.join(', ')}, and it is by ${ids.join(', ')}`;
}
