/** A tag of a repository, and when it came to name what it names. */
export interface HeldTag {
  name: string;
  digest: string;
  setAt: Date;
}

export interface HeldImage {
  digest: string;
  /** The one that it says something about (OCI 1.1 `subject`). */
  subject: string | null;
  storedAt: Date;
  pulledAt: Date;
  /** Manifests that it lists, where it is an index. */
  lists: readonly string[];
}

export interface RepositoryContents {
  tags: readonly HeldTag[];
  images: readonly HeldImage[];
}

export interface Rule {
  keepLast: number | null;
  olderThanSeconds: number | null;
  /** Tags that it is about; `*` stands for anything. */
  tags: string;
}

export interface Choice {
  tags: HeldTag[];
  /** What lists others before what is listed, so that each can go in its turn. */
  images: string[];
}

/** Who resolved a tag so lately may be about to run what it names. */
export const SPARED_MS = 3_600_000;
/** What no tag names waits for one, or for the index that lists it. */
const UNTAGGED_MS = 86_400_000;
/** Where registries without the referrers API keep what is about an image (OCI 1.1, "Referrers Tag Schema"; signatures add an ending). */
const ABOUT = /^(sha256|sha512)-([0-9a-f]{64,128})(?:\..+)?$/;

/** What goes from a repository by a rule. Never what is in use, what stays lists, or is about what stays. */
export function chooseWhatGoes(
  { tags, images }: RepositoryContents,
  rule: Rule,
  inUse: ReadonlySet<string>,
  now: number,
): Choice {
  const byDigest = new Map(images.map((image) => [image.digest, image]));
  const spared = (digest: string): boolean => {
    const pulledAt = byDigest.get(digest)?.pulledAt.getTime() ?? 0;
    return inUse.has(digest) || pulledAt > now - SPARED_MS;
  };
  const plain = tags.filter(({ name }) => !ABOUT.test(name));
  const leaving = new Set(
    leavingTags(plain, rule, now)
      .filter(({ digest }) => !spared(digest))
      .map(({ name }) => name),
  );
  const staying = plain.filter(({ name }) => !leaving.has(name)).map(({ digest }) => digest);
  const tagged = new Set(tags.map(({ digest }) => digest));
  const waitsFrom = now - (rule.olderThanSeconds === null ? UNTAGGED_MS : rule.olderThanSeconds * 1_000);
  // A digest may be all that somebody knows of an image: what no tag ever named waits as long as a tag would.
  const young = images.filter(
    ({ digest, storedAt }) => !tagged.has(digest) && storedAt.getTime() > waitsFrom,
  );
  const kept = closure(
    [...staying, ...young.map(({ digest }) => digest), ...images.map(({ digest }) => digest).filter(spared)],
    images,
    tags,
  );
  const about = tags.filter(({ name, digest }) => ABOUT.test(name) && !kept.has(digest));
  return {
    tags: [...plain.filter(({ name }) => leaving.has(name)), ...about],
    images: listersFirst(images.filter(({ digest }) => !kept.has(digest))),
  };
}

function leavingTags(tags: readonly HeldTag[], rule: Rule, now: number): HeldTag[] {
  const newestFirst = tags
    .filter(({ name }) => matches(rule.tags, name))
    .sort((a, b) => b.setAt.getTime() - a.setAt.getTime() || (a.name < b.name ? 1 : -1));
  const oldest = rule.olderThanSeconds === null ? now : now - rule.olderThanSeconds * 1_000;
  return newestFirst.slice(rule.keepLast ?? 0).filter(({ setAt }) => setAt.getTime() <= oldest);
}

/** In one pass, whatever somebody makes the pattern of: each part where it comes first. */
function matches(pattern: string, text: string): boolean {
  const [first, ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

/** What stays with these: what they list, what is about them, and so on. */
function closure(
  roots: readonly string[],
  images: readonly HeldImage[],
  tags: readonly HeldTag[],
): ReadonlySet<string> {
  const follows = new Map<string, string[]>();
  const follow = (digest: string, others: readonly string[]): void => {
    follows.set(digest, [...(follows.get(digest) ?? []), ...others]);
  };
  for (const { digest, lists, subject } of images) {
    follow(digest, lists);
    if (subject !== null) follow(subject, [digest]);
  }
  for (const { name, digest } of tags) {
    const [, algorithm, hash] = ABOUT.exec(name) ?? [];
    if (hash !== undefined) follow(`${algorithm}:${hash}`, [digest]);
  }
  const kept = new Set<string>();
  const waiting = [...roots];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (kept.has(digest)) continue;
    kept.add(digest);
    waiting.push(...(follows.get(digest) ?? []));
  }
  return kept;
}

function listersFirst(images: readonly HeldImage[]): string[] {
  const listedBy = new Map<string, number>();
  for (const { lists } of images)
    for (const digest of lists) listedBy.set(digest, (listedBy.get(digest) ?? 0) + 1);
  const byDigest = new Map(images.map((image) => [image.digest, image]));
  const ready = images.filter(({ digest }) => !listedBy.has(digest));
  const ordered: string[] = [];
  for (let image = ready.shift(); image !== undefined; image = ready.shift()) {
    ordered.push(image.digest);
    for (const digest of image.lists) {
      const left = (listedBy.get(digest) ?? 0) - 1;
      listedBy.set(digest, left);
      const listed = byDigest.get(digest);
      if (left === 0 && listed !== undefined) ready.push(listed);
    }
  }
  return ordered;
}
