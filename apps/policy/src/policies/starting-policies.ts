/**
 * What is in force on a new installation, seeded once and from then on the platform team's own: each can be changed and
 * removed like any other. Permits say who may do what, by the permission that the action catalog gives each action;
 * forbids say how containers may run, and hold for admins too.
 */

const permits = {
  admins: `
@id("admins")
@message("Platform admins may do everything that no policy forbids.")
permit (principal, action, resource)
when { principal.admin };`,

  everyone: `
@id("everyone")
@message("Whoever has a token may do this.")
permit (principal, action in Berth::Action::"anyone", resource);`,

  self: `
@id("self")
@message("Everybody may manage their own user and tokens.")
permit (principal, action in Berth::Action::"self", resource)
when { resource == principal };`,

  'team-service-accounts': `
@id("team-service-accounts")
@message("Maintainers of a team may manage the tokens of its service accounts.")
permit (
  principal,
  action in [
    Berth::Action::"token.create",
    Berth::Action::"token.list",
    Berth::Action::"token.revoke"
  ],
  resource
)
when { resource has team && principal.maintainerOf.contains(resource.team) };`,

  'new-people': `
@id("new-people")
@message("Whoever the identity provider knows becomes a user at their first login.")
permit (
  principal == Berth::User::"identity-provider",
  action in Berth::Action::"user.create",
  resource
)
unless { context has kind && (context.kind != "user" || context.admin) };`,

  'own-quota': `
@id("own-quota")
@message("Everybody may see the limits that hold for themselves.")
permit (principal, action in Berth::Action::"quota.read", resource is Berth::User)
when { resource == principal };`,

  'team-viewers': `
@id("team-viewers")
@message("Members of a team may see what the team owns.")
permit (principal, action in Berth::Action::"view", resource)
when { resource has team && principal.viewerOf.contains(resource.team) };`,

  'team-developers': `
@id("team-developers")
@message("Developers of a team may change and run what the team owns.")
permit (principal, action in Berth::Action::"develop", resource)
when { resource has team && principal.developerOf.contains(resource.team) };`,

  'team-maintainers': `
@id("team-maintainers")
@message("Maintainers of a team may manage the team.")
permit (principal, action in Berth::Action::"maintain", resource)
when { resource has team && principal.maintainerOf.contains(resource.team) };`,

  'public-images': `
@id("public-images")
@message("Whoever has a token may pull images of other registries.")
permit (
  principal,
  action in [Berth::Action::"image.pull", Berth::Action::"image.list"],
  resource is Berth::Image
)
unless { resource has team };`,

  'engine-pulls': `
@id("engine-pulls")
@message("The container engine may pull what it is told to run.")
permit (
  principal == Berth::User::"engine",
  action in Berth::Action::"image.pull",
  resource is Berth::Image
);`,
};

const forbids = {
  'no-privileged': `
@id("no-privileged")
@message("No container may run privileged.")
forbid (principal, action == Berth::Action::"deployment.create.after", resource)
when { context.privileged };`,

  'no-host-mounts': `
@id("no-host-mounts")
@message("No container may mount files of the host. Use a named volume.")
forbid (principal, action == Berth::Action::"deployment.create.after", resource)
unless { context.bindMounts.isEmpty() };`,

  'own-network-only': `
@id("own-network-only")
@message("Containers may be in the network of their own environment only.")
forbid (principal, action == Berth::Action::"deployment.create.after", resource)
unless { context.foreignNetworks.isEmpty() };`,

  'limits-required': `
@id("limits-required")
@message("Every container needs a limit of memory and of processes.")
forbid (principal, action == Berth::Action::"deployment.create.after", resource)
when { context.unlimitedMemory || context.unlimitedPids };`,

  // What the engine grants by default, without NET_RAW, MKNOD and AUDIT_WRITE.
  'safe-capabilities': `
@id("safe-capabilities")
@message("A container may have these capabilities and no others: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT.")
forbid (principal, action in Berth::Action::"deployment.create", resource)
unless {
  ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]
    .containsAll(if context has capAdd then context.capAdd else context.capabilities)
};`,

  'no-low-ports': `
@id("no-low-ports")
@message("Ports of the host below 1024 are the platform's. Publish a port from 1024 on.")
forbid (principal, action == Berth::Action::"deployment.create.before", resource)
when { context.minPublishedPort < 1024 };`,

  'running-as-released': `
@id("running-as-released")
@message("What runs must be what was released, to the digest.")
forbid (principal, action == Berth::Action::"deployment.create.after", resource)
unless { context.unexpectedImages.isEmpty() };`,
};

/** By id; Cedar text, each with its \`@id\` and \`@message\`. */
export const STARTING_POLICIES: ReadonlyMap<string, string> = new Map(
  Object.entries({ ...permits, ...forbids }).map(([id, text]) => [id, `${text.trim()}\n`]),
);
