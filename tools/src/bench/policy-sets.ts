/** Cedar text by id: what a platform team might have. */
const PERMITS: Record<string, string> = {
  admins: 'permit (principal, action, resource) when { principal.admin };',
  everyone: 'permit (principal, action in Berth::Action::"anyone", resource);',
  self: 'permit (principal, action in Berth::Action::"self", resource) when { resource == principal };',
  viewers:
    'permit (principal, action in Berth::Action::"view", resource) when { resource has team && principal.viewerOf.contains(resource.team) };',
  developers:
    'permit (principal, action in Berth::Action::"develop", resource) when { resource has team && principal.developerOf.contains(resource.team) };',
  maintainers:
    'permit (principal, action in Berth::Action::"maintain", resource) when { resource has team && principal.maintainerOf.contains(resource.team) };',
};

const ON_DEPLOY = 'forbid (principal, action in Berth::Action::"deployment.create", resource)';
const FORBIDS: Record<string, string> = {
  'no-privileged': `${ON_DEPLOY} when { context.privileged };`,
  'no-host-mounts': `${ON_DEPLOY} unless { context.bindMounts.isEmpty() };`,
  'limits-required': `${ON_DEPLOY} when { context.unlimitedMemory || context.unlimitedPids };`,
  'safe-capabilities': `${ON_DEPLOY} unless { ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"].containsAll(context.capAdd) };`,
  'no-low-ports': `${ON_DEPLOY} when { context.minPublishedPort < 1024 };`,
  'named-registries': `${ON_DEPLOY} unless { ["docker.io", "ghcr.io", "registry.example.com"].containsAll(context.registries) };`,
  'no-latest-in-prod': `${ON_DEPLOY} when { resource has environment && resource.environment == "prod" && context.tags.contains("latest") };`,
  'no-root': `${ON_DEPLOY} when { context.users.containsAny(["0", "root"]) };`,
  'office-network': `${ON_DEPLOY} unless { ip(context.client).isInRange(ip("10.0.0.0/8")) };`,
  'no-friday-evening': `${ON_DEPLOY} when { context.weekday == 5 && context.minute >= 960 };`,
  'few-replicas': `${ON_DEPLOY} when { context.replicas > 20 };`,
  'small-memory': `${ON_DEPLOY} when { context.memory * 2 > 68719476736 };`,
  'own-images': `${ON_DEPLOY} when { resource in Berth::Team::"payments" && !(context.repository like "payments/*") };`,
  'two-people': `${ON_DEPLOY} when { resource has environment && resource.environment == "prod" && context has releasedBy && context.releasedBy == principal.name };`,
};

export const TWENTY: ReadonlyMap<string, string> = new Map(Object.entries({ ...PERMITS, ...FORBIDS }));

/** With as many more as make `count`, each for a project of its own. */
export function narrowed(count: number): ReadonlyMap<string, string> {
  return more(
    count,
    (n) =>
      `${ON_DEPLOY} when { resource in Berth::Project::"project-${n}" && context.tags.contains("bad-${n}") };`,
  );
}

/** With as many more as make `count`, each to be asked about every deploy. */
export function unnarrowed(count: number): ReadonlyMap<string, string> {
  return more(count, (n) => `${ON_DEPLOY} when { context.tags.contains("bad-${n}") };`);
}

function more(count: number, text: (n: number) => string): ReadonlyMap<string, string> {
  const others = Array.from({ length: count - TWENTY.size }, (_, n) => [`more-${n}`, text(n)] as const);
  return new Map([...TWENTY, ...others]);
}
