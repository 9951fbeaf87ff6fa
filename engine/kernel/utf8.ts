/**
 * True when bytes[start, end) is well-formed UTF-8 (Unicode 16, table 3-7: no overlong forms, no
 * surrogates, nothing above U+10FFFF). Callers look at ASCII by words first and come here with the rest.
 */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = bytes[at] as number;
    if (lead < 0x80) {
      at++;
      continue;
    }
    if (lead < 0xc2 || lead > 0xf4) return false;
    const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (at + size > end) return false;
    const second = bytes[at + 1] as number;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return false;
    if (size > 2 && ((bytes[at + 2] as number) & 0xc0) !== 0x80) return false;
    if (size > 3 && ((bytes[at + 3] as number) & 0xc0) !== 0x80) return false;
    at += size;
  }
  return true;
}

/** How many code points well-formed UTF-8 holds: every byte that is no continuation starts one. */
export function codePointCount(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if (((bytes[at] as number) & 0xc0) !== 0x80) count++;
  return count;
}
