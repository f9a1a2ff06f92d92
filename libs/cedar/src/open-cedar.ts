import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { compileFunction } from 'node:vm';

export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs');

const requireHere = createRequire(__filename);

/** Where Cedar's own module for Node is, for a process that loads one for itself. The bare import of the package fails. */
export const CEDAR_MODULE = requireHere.resolve('@cedar-policy/cedar-wasm/nodejs');

const MANIFEST = join(dirname(CEDAR_MODULE), 'package.json');
/** Of the package, as in `4.13.0`. */
export const CEDAR_VERSION = (JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string }).version;

/**
 * What V8 has to be told before it runs Cedar. Inlined into optimised JavaScript, a call of WebAssembly that returns a
 * reference, as all of Cedar's do, aborts the process when that code is given up during the call ("Fatal error:
 * unreachable code" in `DoComputeBuiltinContinuation`, Node 20). And optimising only what runs all the time saves 25 MiB.
 */
export const CEDAR_FLAGS = ['--no-turbo-inline-js-wasm-calls', '--wasm-tiering-budget=50000000'];
for (const flag of CEDAR_FLAGS) setFlagsFromString(flag);

type Load = (exports: object, require: NodeJS.Require, folder: string) => void;
let load: Load | undefined;

/**
 * A fresh instance of Cedar's WebAssembly (some 80 ms). One that faulted answers nothing any more and has to be replaced
 * whole, which `require` cannot do: it gives out the one instance that its module made.
 */
export function openCedar(): Cedar {
  load ??= compileFunction(readFileSync(CEDAR_MODULE, 'utf8'), ['exports', 'require', '__dirname'], {
    filename: CEDAR_MODULE,
  }) as Load;
  const cedar = {};
  load(cedar, requireHere, dirname(CEDAR_MODULE));
  return cedar as Cedar;
}
