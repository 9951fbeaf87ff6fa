/** MATCH_RECOGNIZE as canonical SQL text. */
import type { MatchRecognize, RowPattern, SelectItem } from './ast.ts';
import { assertNever } from './base/assert.ts';
import type { ExpressionWriter } from './deparse-expression.ts';
import { clause, identifierList, identifierText, words } from './deparse-name.ts';

const rowsPerMatch: Readonly<Record<MatchRecognize['rowsPerMatch'], string>> = {
  one: 'ONE ROW PER MATCH',
  all: 'ALL ROWS PER MATCH',
  'all-show-empty': 'ALL ROWS PER MATCH SHOW EMPTY MATCHES',
  'all-omit-empty': 'ALL ROWS PER MATCH OMIT EMPTY MATCHES',
  'all-with-unmatched': 'ALL ROWS PER MATCH WITH UNMATCHED ROWS',
};

export class MatchWriter {
  readonly #expressions: ExpressionWriter;
  readonly #selectItem: (item: SelectItem) => string;

  constructor(expressions: ExpressionWriter, selectItem: (item: SelectItem) => string) {
    this.#expressions = expressions;
    this.#selectItem = selectItem;
  }

  /** The clause after its table, without the alias. */
  write(match: MatchRecognize): string {
    const { write } = this.#expressions;
    const inside = words(
      clause('PARTITION BY', match.partitionBy.map(write)),
      this.#expressions.orderBy(match.orderBy),
      clause('MEASURES', match.measures.map(this.#selectItem)),
      rowsPerMatch[match.rowsPerMatch],
      `AFTER MATCH SKIP ${skipText(match.skip)}`,
      `PATTERN (${patternText(match.pattern, ALTERNATION)})`,
      match.within && `WITHIN ${this.#expressions.operand(match.within)}`,
      clause(
        'SUBSET',
        match.subsets.map(
          ({ name, variables }) => `${identifierText(name)} = ${identifierList(variables)}`,
        ),
      ),
      clause(
        'DEFINE',
        match.define.map(
          ({ variable, condition }) => `${identifierText(variable)} AS ${write(condition)}`,
        ),
      ),
    );
    return `MATCH_RECOGNIZE (${inside})`;
  }
}

function skipText(skip: MatchRecognize['skip']): string {
  switch (skip.kind) {
    case 'past-last-row':
      return 'PAST LAST ROW';
    case 'to-next-row':
      return 'TO NEXT ROW';
    case 'to-first':
      return `TO FIRST ${identifierText(skip.variable)}`;
    case 'to-last':
      return `TO LAST ${identifierText(skip.variable)}`;
    default:
      return assertNever(skip);
  }
}

// How tightly the parts of a pattern bind, from loosest to tightest.
const ALTERNATION = 0;
const SEQUENCE = 1;
const ELEMENT = 2;

/** @param minimum what the text must bind at least as tightly as. */
function patternText(pattern: RowPattern, minimum: number): string {
  const group = (text: string, level: number): string => (level >= minimum ? text : `(${text})`);
  const all = (items: readonly RowPattern[], level: number, separator: string): string =>
    items.map((item) => patternText(item, level)).join(separator);
  switch (pattern.kind) {
    case 'variable':
      return identifierText(pattern.name);
    case 'sequence':
      return group(all(pattern.items, ELEMENT, ' '), SEQUENCE);
    case 'alternation':
      return group(all(pattern.items, SEQUENCE, ' | '), ALTERNATION);
    case 'permute':
      return `PERMUTE(${all(pattern.items, ALTERNATION, ', ')})`;
    case 'empty':
      return minimum === ALTERNATION ? '' : '()';
    case 'start':
      return '^';
    case 'end':
      return '$';
    case 'exclusion':
      return `{- ${patternText(pattern.pattern, ALTERNATION)} -}`;
    case 'quantified':
      return quantifiedText(pattern);
    default:
      return assertNever(pattern);
  }
}

function quantifiedText(pattern: RowPattern & { kind: 'quantified' }): string {
  const { min, max, reluctant } = pattern;
  // A quantifier after a quantifier would be read as RELUCTANT.
  const inner = patternText(pattern.pattern, ELEMENT);
  const operand = pattern.pattern.kind === 'quantified' ? `(${inner})` : inner;
  return `${operand}${quantifier(min, max)}${reluctant ? '?' : ''}`;
}

function quantifier(min: number, max: number | undefined): string {
  if (min === 0 && max === undefined) return '*';
  if (min === 1 && max === undefined) return '+';
  if (min === 0 && max === 1) return '?';
  if (min === max) return `{${min}}`;
  return `{${min},${max ?? ''}}`;
}
