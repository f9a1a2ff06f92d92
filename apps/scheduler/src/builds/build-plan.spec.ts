import { BerthError } from '@berth/contracts';
import { planBuild, refuseTriggers, type PlanOptions } from './build-plan.js';
import { readDockerfile } from './dockerfile.js';

const plan = (text: string, options: Partial<PlanOptions> = {}) =>
  planBuild(readDockerfile(text), { arguments: [], platform: 'linux/amd64', ...options });

/** Each base pinned to its name in capitals. */
function written(text: string, options: Partial<PlanOptions> = {}): string[] {
  const planned = plan(text, options);
  return planned
    .write(new Map(planned.bases.map((base) => [base, `PINNED(${base})`])))
    .trimEnd()
    .split('\n');
}

function refusal(work: () => unknown): string {
  try {
    work();
    return 'nothing refused';
  } catch (error) {
    const { code, message } = error as BerthError;
    return `${code} ${message}`;
  }
}

describe('what a build starts from', () => {
  it('is found wherever an image is named, and pinned there', () => {
    const text = [
      'ARG WHICH=node',
      'ARG V="20"',
      'FROM --platform=$BUILDPLATFORM ${WHICH}:${V}-${X:-slim} AS Build',
      'FROM build AS more',
      'COPY --from=busybox:1 /bin/sh /bin/',
      'COPY --link --from=BUILD --chown=1:1 /a /b',
      'COPY --from=0 /c /d',
      'COPY e f /g/',
      'FROM scratch',
      'COPY --from=more / /',
      'RUN true',
    ].join('\n');
    expect(plan(text).bases).toEqual(['node:20-slim', 'busybox:1']);
    expect(plan(text).commands).toBe(1);
    expect(written(text)).toEqual([
      'ARG WHICH=node',
      'ARG V="20"',
      'FROM PINNED(node:20-slim) AS Build',
      'FROM build AS more',
      'COPY --from=PINNED(busybox:1) /bin/sh /bin/',
      'COPY --from=BUILD --chown=1:1 /a /b',
      'COPY --from=0 /c /d',
      'COPY e f /g/',
      'FROM scratch',
      'COPY --from=more / /',
      'RUN true',
    ]);
  });

  it('goes by the arguments that are given, of which those that it declares are passed on', () => {
    const text = 'ARG WHICH=a\nFROM $WHICH\nARG TARGETARCH NAME\nARG KEY=x\n';
    const planned = plan(text, { arguments: ['WHICH=b:2', 'KEY=a=b', 'OTHER=c'], platform: 'linux/arm64' });
    expect(planned.bases).toEqual(['b:2']);
    expect(planned.arguments).toEqual({ WHICH: 'b:2', TARGETARCH: 'arm64', KEY: 'a=b' });
  });

  it('is what the stage that is wanted takes, and nothing after it', () => {
    const text = 'FROM a AS one\nRUN 1\nFROM b AS two\nRUN 2\nFROM c\n';
    expect(plan(text, { target: 'ONE' })).toMatchObject({ bases: ['a'], commands: 1 });
    expect(plan(text, { target: '1' }).bases).toEqual(['a', 'b']);
    expect(refusal(() => plan(text, { target: 'three' }))).toContain('there is no stage "three"');
    expect(refusal(() => plan(text, { target: '3' }))).toContain('there is no stage "3"');
  });

  it('cannot be hidden: a name that comes later is no stage yet, and no name of an object', () => {
    expect(plan('FROM two AS one\nFROM one AS two\n').bases).toEqual(['two']);
    expect(plan('FROM node AS node\nCOPY --from=node /a /b\n').bases).toEqual(['node']);
    expect(plan('FROM constructor\nCOPY --from=__proto__ /a /b\n').bases).toEqual([
      'constructor',
      '__proto__',
    ]);
  });
});

describe('what goes round Berth, or the engine’s builder has not', () => {
  it.each([
    'ADD http://127.0.0.1:4400/ /x',
    'ADD https://example.org/a /x',
    'ADD $WHERE /x',
    'ADD ht"tp:"//127.0.0.1/ /x',
    'ADD ht\\tp://127.0.0.1/ /x',
    String.raw`ADD ["http:\u002f\u002f127.0.0.1/", "/x"]`,
    'ADD ["ht\\"tp", "/x"]',
    'ADD ["a", 1]',
    'ONBUILD ADD http://127.0.0.1/ /x',
    'ONBUILD COPY --from=evil /a /b',
    'ONBUILD FROM evil',
  ])('is refused: %s', (line) => {
    expect(refusal(() => plan(`FROM a\n${line}\n`))).toMatch(/^DOCKERFILE_UNSUPPORTED Line 2 /);
  });

  it.each([
    'RUN --mount=type=cache,target=/x true',
    'RUN --network=host true',
    'RUN --security=insecure true',
    'COPY --chmod=755 a b',
    'FROM --platform=linux/s390x b',
  ])('is refused: %s', (line) => {
    expect(refusal(() => plan(`FROM a\n${line}\n`))).toMatch(/^DOCKERFILE_UNSUPPORTED Line 2 /);
  });

  it.each([
    ['RUN a\nFROM b', 'only ARG may stand before the first FROM'],
    ['ARG A=1', 'there is no FROM'],
    ['FROM ${A:?missing}', 'missing'],
    ['FROM $A', '"" is no image reference'],
    ['FROM a b', 'is no image reference'],
    ['FROM a AS', 'is no image reference'],
    ['FROM a\nCOPY --from=$X /a /b', '"$X" is no image reference'],
    ['FROM a\nCOPY --from=1 /a /b', 'there is no stage 1 before this one'],
    ['FROM a\nCOPY --from=0 /a /b', 'there is no stage 0 before this one'],
  ])('is wrong: %j', (text, told) => expect(refusal(() => plan(text))).toContain(told));

  it.each(['ADD a.tar /x', 'ADD ["a b", "/x"]', 'ONBUILD RUN true', 'ONBUILD COPY . /app'])(
    'is not: %s',
    (line) => expect(written(`FROM a\n${line}\n`)).toEqual(['FROM PINNED(a)', line]),
  );
});

describe('what a base has its builds do first', () => {
  it.each([
    'ADD http://127.0.0.1/ /',
    'copy --from=x / /',
    'RUN a\nADD http://x /',
    'RUN\nADD http://x /',
    'ONBUILD RUN x',
    'FROM x',
    'HEALTHCHECK NONE',
  ])('is refused: %j', (trigger) =>
    expect(refusal(() => refuseTriggers('base', [trigger]))).toMatch(/^DOCKERFILE_UNSUPPORTED .*"base"/),
  );

  it('may run commands and copy', () => {
    expect(refusal(() => refuseTriggers('base', ['RUN npm ci', 'COPY . /app', 'ENV A=b']))).toBe(
      'nothing refused',
    );
  });
});
