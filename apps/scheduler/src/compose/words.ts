/**
 * Splits a command line into words as a POSIX shell does (XCU 2.2, quoting), without any expansion: so Compose reads a
 * `command` that is text. Null when a quote is not closed or the text ends in a backslash.
 */
export function splitWords(text: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (quote === "'") {
      if (letter === "'") quote = null;
      else word += letter;
    } else if (letter === '\\') {
      at += 1;
      if (at >= text.length) return null;
      const escaped = text[at];
      // Within double quotes a backslash stands for itself, unless before one of these.
      if (quote === '"' && !'$`"\\\n'.includes(escaped)) word += `\\${escaped}`;
      else if (escaped !== '\n') word = (word ?? '') + escaped;
    } else if (quote === '"') {
      if (letter === '"') quote = null;
      else word += letter;
    } else if (letter === '"' || letter === "'") {
      quote = letter;
      word ??= '';
    } else if (/\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + letter;
    }
  }
  if (quote) return null;
  if (word !== null) words.push(word);
  return words;
}
