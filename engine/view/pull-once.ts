/** SQL that names its arguments more than once, without growing with every level of nesting. */

/** Shorter arguments are simply repeated, which DuckDB plans best. */
const REPEATED_CHARACTERS_MAX = 300;

/**
 * @param build  the SQL over the arguments, each of which it may name any number of times; no subqueries of its own.
 */
export function once(args: readonly string[], build: (names: readonly string[]) => string): string {
  const characters = args.reduce((sum, arg) => sum + arg.length, 0);
  if (characters <= REPEATED_CHARACTERS_MAX) return build(args);
  // DuckDB has no LET; a list of one element and a lambda over it are one.
  // Fields go by number: struct_pack loses its names when DuckDB takes a correlated subquery apart.
  const body = build(args.map((_, i) => `x[${i + 1}]`));
  return `list_transform([row(${args.join(', ')})], lambda x: ${body})[1]`;
}
