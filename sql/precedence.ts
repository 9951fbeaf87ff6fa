/** PostgreSQL's operator precedence, from loosest to tightest; parser and deparser share it. */
export const precedence = {
  none: 0,
  or: 1,
  and: 2,
  not: 3,
  is: 4,
  comparison: 5,
  like: 6,
  operator: 9,
  add: 10,
  multiply: 11,
  power: 12,
  at: 13,
  collate: 14,
  unaryMinus: 15,
  typecast: 17,
} as const;

/** The operators whose precedence is their own; every other one has `precedence.operator`. */
export const symbolPrecedence: ReadonlyMap<string, number> = new Map([
  ...['<', '>', '=', '<=', '>=', '<>'].map((op) => [op, precedence.comparison] as const),
  ...['+', '-'].map((op) => [op, precedence.add] as const),
  ...['*', '/', '%'].map((op) => [op, precedence.multiply] as const),
  ['^', precedence.power],
  ['::', precedence.typecast],
]);

/**
 * AND or OR chains from this many conditions on make a balanced tree, so that its height stays
 * small; the deparser writes such a chain without inner parentheses.
 */
export const CHAIN_BALANCED_FROM = 65;
