export { Authorizer, type Authorization, type AuthorizationError } from './authorizer.js';
export { literal } from './expressions.js';
export { NotCompilable } from './not-compilable.js';
export { AuthorizationRequest } from './request.js';
export { EntityRef, type CedarRecord, type Entity, type Value } from './values.js';
export { CEDAR_FLAGS, CEDAR_MODULE, CEDAR_VERSION, openCedar, type Cedar } from './open-cedar.js';
export { tracePolicy, type Trace, type TracedCondition } from './trace.js';
