/** Broken statements: a token dropped, doubled or swapped with its neighbour, from a seed. */
import { tokenize } from '../../sql/lexer.ts';

/** Numbers in [0, 1) from a 32-bit seed (mulberry32, by Tommy Ettinger; public domain). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** One mutation of a random place of `sql`. */
export function mutate(sql: string, random: () => number): string {
  const tokens = tokenize(sql).filter((token) => token.kind !== 'end');
  const words = tokens.map((token) => sql.slice(token.start, token.end));
  const at = Math.floor(random() * words.length);
  const word = words[at] ?? '';
  const next = words[at + 1];
  const way = Math.floor(random() * 3);
  const replaced =
    way === 0 ? [] : way === 1 ? [word, word] : next === undefined ? [word, word] : [next, word];
  words.splice(at, way === 2 && next !== undefined ? 2 : 1, ...replaced);
  return words.join(' ');
}
