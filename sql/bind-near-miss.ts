/** The known name nearest to a mistyped one. */

/** Most edits between a name and its suggestion, as PostgreSQL's MAX_FUZZY_DISTANCE. */
const EDITS_MAX = 3;

/** Levenshtein distance, or more than `max` as soon as it is known to exceed that. */
export function editDistance(from: string, to: string, max: number = EDITS_MAX): number {
  if (Math.abs(from.length - to.length) > max) return max + 1;
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const change = from[row - 1] === to[column - 1] ? 0 : 1;
      const replaced = (previous[column - 1] as number) + change;
      const removed = (previous[column] as number) + 1;
      const added = (current[column - 1] as number) + 1;
      current.push(Math.min(replaced, removed, added));
    }
    previous = current;
  }
  return previous[to.length] as number;
}

/** The nearest of `names`, or undefined when none is near: at most an edit for every three letters. */
export function closestName(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let distance = Math.min(EDITS_MAX, Math.ceil(name.length / 3)) + 1;
  for (const known of names) {
    const edits = editDistance(name, known);
    if (edits < distance) {
      best = known;
      distance = edits;
    }
  }
  return best;
}
