export { ACCOUNT_NAME, findAccount, isRoot, storeAccount, type Account } from './account.js';
export {
  BUSYBOX_COMMANDS,
  binaryFiles,
  busyboxFiles,
  fetchBusybox,
  findBusybox,
  layOut,
  type RootFile,
} from './busybox.js';
export { findCommand, runCommand, tryCommand, type CommandOptions, type CommandResult } from './command.js';
export { credentialsFile, readCredentials, storeCredentials, type Credentials } from './credentials.js';
export { examine, examineMachine, type Finding } from './doctor.js';
export {
  DEFAULT_DOCKER_HOST,
  docker,
  dockerEnvironment,
  engineVersion,
  hasSystemd,
  isLocalEngine,
  startEngine,
  stopEngine,
} from './engine.js';
export {
  inheritedEnvironment,
  PORT_SETTINGS,
  readHostSettings,
  type HostSettings,
  type PortName,
} from './env.js';
export { gatherFacts } from './facts.js';
export { isReachableByOthers, readJsonFile, REPOSITORY, writeAtomically } from './files.js';
export { Home } from './home.js';
export { ingressImage } from './ingress-image.js';
export { install } from './install.js';
export { applyIsolation, isIsolated, removeIsolation } from './isolation.js';
export { renderNatsConfig } from './nats-config.js';
export {
  inboxPrefix,
  integratorUser,
  NATS_USERS,
  natsPermissions,
  type NatsUser,
} from './nats-permissions.js';
export { addIntegrator, removeIntegrator, type IntegratorAccess } from './integrators.js';
export { natsAccepts, reloadNats, startNats, stopNats, type NatsServer } from './nats.js';
export { bringDown, bringUp, type BringUpOptions, type Platform } from './platform.js';
export { assertPortFree, freePort, isPortFree, resolvePorts } from './ports.js';
export {
  closeDefaultDatabases,
  createDatabase,
  createServiceDatabase,
  databaseName,
  databaseUrl,
  roleName,
  schemaName,
  withClient,
} from './postgres-roles.js';
export { startPostgres, stopPostgres, superuserUrl, type PostgresServer } from './postgres.js';
export {
  COMMAND_PACKAGES,
  planPrerequisites,
  type MachineFacts,
  type Plan,
  type Purpose,
  type Step,
} from './prerequisites.js';
export {
  lastLines,
  processStartTime,
  runningProcess,
  startDetached,
  stopProcess,
  waitUntil,
  type ProcessRecord,
} from './process.js';
export { rekey } from './rekey.js';
export { startRegistry, stopRegistry, type UpstreamRegistry } from './registry.js';
export { loadSecrets, newSecret, newToken, readSecrets, tokenHash, type Secrets } from './secrets.js';
export { natsUrl, registryAddress, serviceEnvironment } from './service-environment.js';
export { DATABASE_SERVICES, SERVICE_NAMES, type DatabaseService, type ServiceName } from './service-names.js';
export { notReady, startServices, stopServices, type Progress } from './services.js';
export { answersAt, curlCommand, serviceUrl, wayInAddress } from './way-in.js';
export { installationLabel, pauseWorkloads, removeWorkloads, resumeWorkloads } from './workloads.js';
