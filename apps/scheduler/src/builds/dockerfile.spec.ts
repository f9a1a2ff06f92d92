import { BerthError } from '@berth/contracts';
import { readDockerfile, writeInstruction } from './dockerfile.js';

const shown = (text: string): string[] =>
  readDockerfile(text).map((each) => `${each.line} ${writeInstruction(each)}`);

function refusal(text: string): string {
  try {
    return `read: ${shown(text).join(' | ')}`;
  } catch (error) {
    const { code, message } = error as BerthError;
    return `${code} ${message}`;
  }
}

describe('a Dockerfile', () => {
  it('is read line by line, with lines that go on, comments and empty ones between them', () => {
    const text = [
      '\uFEFF# syntax=docker/dockerfile:1',
      '',
      'from base  as one',
      '  run a && \\  ',
      '# not this',
      '',
      '  b \\\\ c \\',
      '  && d\r',
      'COPY --from=one --chown=1:2 ["a b", "/c"]',
      'HEALTHCHECK --interval=5s CMD x',
      'CMD ["a"]   ',
    ].join('\n');
    expect(shown(text)).toEqual([
      '3 FROM base  as one',
      '4 RUN a &&   b \\\\ c   && d',
      '9 COPY --from=one --chown=1:2 ["a b", "/c"]',
      '10 HEALTHCHECK --interval=5s CMD x',
      '11 CMD ["a"]',
    ]);
  });

  it('is the same when it is read again as it was written', () => {
    const text = 'FROM a\nRUN x \\\n  # y\n  y\nENV A="b c" \\\n D=e\nLABEL a=b\n';
    const written = readDockerfile(text).map(writeInstruction);
    expect(readDockerfile(written.join('\n')).map(writeInstruction)).toEqual(written);
  });

  it.each([
    ['FROM a\nBUILD b', 'DOCKERFILE_INVALID Line 2 of the Dockerfile: "BUILD" is no instruction'],
    ['FROM', 'DOCKERFILE_INVALID Line 1 of the Dockerfile: nothing follows FROM'],
    ['FROM a\nRUN b \\\n', 'DOCKERFILE_INVALID Line 2 of the Dockerfile: the last line ends in "\\"'],
    ['FROM a\nRUN b \\ \n# c', 'DOCKERFILE_INVALID Line 2'],
    ['FROM a\nRUN b\\\\\n \nFROM c', 'DOCKERFILE_INVALID Line 2'],
    [
      'FROM a\nRUN b\u2028FROM c',
      'DOCKERFILE_INVALID Line 2 of the Dockerfile: there is a control character',
    ],
    ['FROM a\nRUN b\rFROM c', 'DOCKERFILE_INVALID Line 2 of the Dockerfile: there is a control character'],
    [
      '# escape=`\nFROM a',
      'DOCKERFILE_UNSUPPORTED Line 1 of the Dockerfile: only "\\" may be the escape character',
    ],
    ['FROM a\nRUN <<EOF\nx\nEOF', 'DOCKERFILE_UNSUPPORTED Line 2 of the Dockerfile: here-documents'],
    ['FROM a\nCOPY <<-"X" /b\nX', 'DOCKERFILE_UNSUPPORTED Line 2'],
    [
      `FROM a\n${'RUN b\n'.repeat(1_001)}`,
      'DOCKERFILE_INVALID Line 1001 of the Dockerfile: more than 1000 instructions',
    ],
  ])('is refused as %j', (text, told) => expect(refusal(text)).toContain(told));

  it('may shift bits and hand over strings', () => {
    expect(shown('RUN echo $((1 << 2)) && cat <<<x')).toEqual(['1 RUN echo $((1 << 2)) && cat <<<x']);
  });
});
