/** Something wrong with a policy's text, and where: line and column count from 1, columns in characters. */
export interface TextProblem {
  message: string;
  line?: number;
  column?: number;
}

/** Where the character at `index` (of UTF-16, as JavaScript counts) stands. */
export function positionAt(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: [...before.slice(lineStart)].length + 1 };
}

/** The same for an offset in bytes of UTF-8, as Cedar counts. */
export function positionAtByte(text: string, offset: number): { line: number; column: number } {
  return positionAt(text, Buffer.from(text).subarray(0, offset).toString().length);
}
