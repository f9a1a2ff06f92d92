/** Bytes `start` to `end`, both counted in, as RFC 9110 counts them. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Reads a `Range` header against the size of a blob (RFC 9110, section 14). `whole` for none, for several ranges and for what is no
 * range of bytes, which a server may ignore; `unsatisfiable` for one outside of the blob.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  if (match === null) return 'whole';
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return 'whole';
  if (first === '') {
    const suffix = Number(last);
    return suffix === 0 || size === 0
      ? 'unsatisfiable'
      : { start: Math.max(0, size - suffix), end: size - 1 };
  }
  const start = Number(first);
  // Invalid, and a server may refuse it (RFC 9110, 14.2): a client that sends it would take the whole for a part.
  if (last !== '' && Number(last) < start) return 'unsatisfiable';
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

/** Reads the `Content-Range: <start>-<end>` of a chunk, the form of the distribution spec; null when it is not of it. */
export function parseChunkRange(header: string): ByteRange | null {
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim());
  if (match === null) return null;
  const range = { start: Number(match[1]), end: Number(match[2]) };
  return range.end < range.start ? null : range;
}
