/** Comparison of UTF-8 strings where they lie. Byte order is code point order, which is what text is ordered by. */

export function sameBytes(
  a: Uint8Array,
  aStart: number,
  aLength: number,
  b: Uint8Array,
  bStart: number,
  bLength: number,
): boolean {
  if (aLength !== bLength) return false;
  for (let i = 0; i < aLength; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/** Negative, zero or positive. */
export function orderBytes(
  a: Uint8Array,
  aStart: number,
  aLength: number,
  b: Uint8Array,
  bStart: number,
  bLength: number,
): number {
  const shorter = Math.min(aLength, bLength);
  for (let i = 0; i < shorter; i++) {
    const difference = (a[aStart + i] as number) - (b[bStart + i] as number);
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/** Where `part` begins in bytes[start, end), or -1. */
function findBytes(bytes: Uint8Array, start: number, end: number, part: Uint8Array): number {
  const last = end - part.length;
  const first = part[0];
  for (let at = start; at <= last; at++) {
    if (bytes[at] !== first) continue;
    let i = 1;
    while (i < part.length && bytes[at + i] === part[i]) i++;
    if (i === part.length) return at;
  }
  return -1;
}

export type BytesPredicate = (bytes: Uint8Array, start: number, length: number) => boolean;

/**
 * LIKE with a pattern of literal parts and %, over bytes: UTF-8 lets parts be searched without decoding.
 * Undefined for patterns with _ or an escape, which count characters or hide meanings.
 */
export function compileLike(pattern: string): BytesPredicate | undefined {
  if (/[_\\]/.test(pattern)) return undefined;
  const parts = pattern.split('%').map((part) => new Uint8Array(Buffer.from(part)));
  const prefix = parts[0] as Uint8Array;
  if (parts.length === 1) {
    return (bytes, start, length) => sameBytes(bytes, start, length, prefix, 0, prefix.length);
  }
  const suffix = parts.at(-1) as Uint8Array;
  const middle = parts.slice(1, -1).filter((part) => part.length > 0);
  return (bytes, start, length) => {
    if (length < prefix.length + suffix.length) return false;
    let at = start + prefix.length;
    const end = start + length - suffix.length;
    if (!sameBytes(bytes, start, prefix.length, prefix, 0, prefix.length)) return false;
    if (!sameBytes(bytes, end, suffix.length, suffix, 0, suffix.length)) return false;
    for (const part of middle) {
      const found = findBytes(bytes, at, end, part);
      if (found < 0) return false;
      at = found + part.length;
    }
    return true;
  };
}
