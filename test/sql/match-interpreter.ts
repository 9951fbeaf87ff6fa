/**
 * MATCH_RECOGNIZE over a whole history, by plain backtracking: every way to map rows to variables is tried in the order
 * of preference, and every value is computed anew from the rows that are mapped. The reference for the operators.
 */
import type { Datum, Row } from '../../sql/base/datum.ts';
import { toText } from '../../sql/base/text-output.ts';
import type { SqlType } from '../../sql/base/type.ts';
import { compareNullable } from '../../sql/base/value.ts';
import { evaluate } from '../../sql/evaluate.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { mapOperands } from '../../sql/expression-map.ts';
import { columnsRead } from '../../sql/logical-map.ts';
import type { LogicalNode } from '../../sql/logical-plan.ts';
import {
  type BoundPattern,
  type MatchValue,
  matchValueOf,
  ROW_CLASSIFIER,
} from '../../sql/row-pattern.ts';

export type MatchNode = LogicalNode & { readonly kind: 'match-recognize' };
type Value = Datum | null;

interface Label {
  readonly variable: number;
  readonly excluded: boolean;
}

/** A row that is not there yet would decide. */
class Awaited extends Error {}

/** More ways than a test should try. */
export class TooManyWays extends Error {}

const WAYS_MAX = 3_000;

/**
 * @param safeMicros  rows that may still come have a later time; undefined = no row comes any more. Then only what no
 *   such row can change comes out.
 */
export function interpretMatch(
  node: MatchNode,
  input: readonly Row[],
  safeMicros?: bigint | undefined,
): Row[] {
  const partitions = new Map<string, Row[]>();
  for (const row of input) {
    const key = node.partitionBy.map((column) => text(row[column] ?? null, typeOf(node, column)));
    const rows = partitions.get(JSON.stringify(key)) ?? [];
    partitions.set(JSON.stringify(key), [...rows, row]);
  }
  return [...partitions.values()].flatMap((rows) =>
    new PartitionMatcher(node, inOrder(node, rows), safeMicros).rows(),
  );
}

const typeOf = (node: MatchNode, column: number): SqlType =>
  node.input.schema[column]?.type ?? { kind: 'unknown' };

const text = (value: Value, type: SqlType): string | null =>
  value === null ? null : toText(value, type);

/** By ORDER BY, then by all columns that the clause reads, NULLs last. */
function inOrder(node: MatchNode, rows: readonly Row[]): Row[] {
  const read = node.values.flatMap((value): readonly BoundExpr[] => {
    if (value.kind === 'navigate') return [value.of];
    if (value.kind === 'match-number') return [];
    const { args, filter } = value.aggregate;
    return filter === undefined ? args : [...args, filter];
  });
  const columns = new Set([
    ...columnsRead(read),
    ...node.partitionBy,
    ...node.orderBy.map((key) => key.column),
    ...node.outputs.flatMap((output) => (output.kind === 'column' ? output.column : [])),
  ]);
  const rest = [...columns]
    .sort((a, b) => a - b)
    .map((column) => ({ column, descending: false, nullsFirst: false }));
  return [...rows].sort((left, right) => {
    for (const { column, descending, nullsFirst } of [...node.orderBy, ...rest]) {
      const a = left[column] ?? null;
      const b = right[column] ?? null;
      if (a === null && b === null) continue;
      if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
      const order = compareNullable(a, b, typeOf(node, column));
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
}

class PartitionMatcher {
  readonly #node: MatchNode;
  readonly #rows: readonly Row[];
  readonly #safeMicros: bigint | undefined;
  #start = 0;
  #number = 0;
  #ways = 0;

  constructor(node: MatchNode, rows: readonly Row[], safeMicros: bigint | undefined) {
    this.#node = node;
    this.#rows = rows;
    this.#safeMicros = safeMicros;
  }

  rows(): Row[] {
    const out: Row[] = [];
    try {
      let covered = 0;
      while (this.#start < this.#rows.length) {
        this.#ways = 0;
        const first = this.#walk(this.#node.pattern, []).next();
        const labels = first.done === true ? undefined : first.value;
        if (labels === undefined) {
          if (this.#start >= covered) out.push(...this.#unmatched());
          this.#start++;
          continue;
        }
        this.#number++;
        const next = this.#nextAfter(labels);
        out.push(...this.#matched(labels));
        covered = Math.max(covered, this.#start + Math.max(1, labels.length));
        this.#start = next;
      }
    } catch (error) {
      if (!(error instanceof Awaited)) throw error;
    }
    return out;
  }

  /** The ways to match a pattern behind `labels`, in the order of preference. */
  *#walk(
    pattern: BoundPattern,
    labels: readonly Label[],
    excluded = false,
  ): Generator<readonly Label[]> {
    if (++this.#ways > WAYS_MAX) throw new TooManyWays('too many ways for a test');
    switch (pattern.kind) {
      case 'empty':
        yield labels;
        break;
      case 'start':
        if (this.#start + labels.length === 0) yield labels;
        break;
      case 'end':
        if (this.#start + labels.length === this.#rows.length) yield labels;
        break;
      case 'variable': {
        const next = [...labels, { variable: pattern.variable, excluded }];
        if (this.#isThere(next) && this.#holds(pattern.variable, next)) yield next;
        break;
      }
      case 'sequence':
        yield* this.#inSequence(pattern.items, labels, excluded);
        break;
      case 'alternation':
        for (const item of pattern.items) yield* this.#walk(item, labels, excluded);
        break;
      case 'permute':
        for (const items of permutations(pattern.items)) {
          yield* this.#inSequence(items, labels, excluded);
        }
        break;
      case 'exclusion':
        yield* this.#walk(pattern.pattern, labels, true);
        break;
      case 'quantified':
        yield* this.#repeated(pattern, labels, excluded, 0);
        break;
      default:
        pattern satisfies never;
    }
  }

  *#inSequence(
    items: readonly BoundPattern[],
    labels: readonly Label[],
    excluded: boolean,
  ): Generator<readonly Label[]> {
    const [first, ...rest] = items;
    if (first === undefined) yield labels;
    else {
      for (const next of this.#walk(first, labels, excluded)) {
        yield* this.#inSequence(rest, next, excluded);
      }
    }
  }

  *#repeated(
    pattern: BoundPattern & { readonly kind: 'quantified' },
    labels: readonly Label[],
    excluded: boolean,
    count: number,
  ): Generator<readonly Label[]> {
    const { min, max, reluctant } = pattern;
    if (reluctant && count >= min) yield labels;
    if (max === undefined || count < max) {
      for (const next of this.#walk(pattern.pattern, labels, excluded)) {
        // Rounds without an end have to take a row each.
        if (max === undefined && count >= min && next.length === labels.length) continue;
        yield* this.#repeated(pattern, next, excluded, count + 1);
      }
    }
    if (!reluctant && count >= min) yield labels;
  }

  /** Whether the last label's row exists, and WITHIN lets it in. */
  #isThere(labels: readonly Label[]): boolean {
    const { withinMicros, orderBy } = this.#node;
    const at = this.#start + labels.length - 1;
    const time = (position: number): bigint | undefined => {
      const value = this.#rows[position]?.[orderBy[0]?.column ?? 0];
      return typeof value === 'bigint' ? value : undefined;
    };
    const first = time(this.#start);
    if (at >= this.#rows.length) {
      if (this.#safeMicros === undefined) return false;
      const isOver =
        withinMicros !== undefined &&
        first !== undefined &&
        first + withinMicros <= this.#safeMicros;
      if (isOver) return false;
      throw new Awaited();
    }
    if (withinMicros === undefined || labels.length === 1) return true;
    const own = time(at);
    return first !== undefined && own !== undefined && own - first <= withinMicros;
  }

  #holds(variable: number, labels: readonly Label[]): boolean {
    const condition = this.#node.define[variable];
    return condition === undefined || this.#compute(condition, labels, labels.length - 1) === true;
  }

  #compute(expression: BoundExpr, labels: readonly Label[], current: number): Value {
    const values: Value[] = [];
    this.#node.values.forEach((value, i) => {
      Object.defineProperty(values, i, { get: () => this.#value(value, labels, current) });
    });
    const overValues = (part: BoundExpr): BoundExpr =>
      part.kind === 'let-value' && part.id < 0
        ? { kind: 'column', index: matchValueOf(part.id), type: part.type }
        : mapOperands(part, overValues);
    return evaluate(overValues(expression), values);
  }

  #value(value: MatchValue, labels: readonly Label[], current: number): Value {
    if (value.kind === 'match-number') return BigInt(this.#conditionNumber(labels));
    const last = value.final ? labels.length - 1 : current;
    const mapped = labels.flatMap(({ variable }, at) =>
      at <= last && (value.rows === undefined || value.rows.includes(variable)) ? at : [],
    );
    if (value.kind === 'aggregate') {
      const { fn, args, filter, distinct } = value.aggregate;
      const accumulator = fn.accumulator();
      const seen = new Set<string>();
      for (const at of mapped) {
        if (filter !== undefined && this.#ofRow(filter, labels, at, last) !== true) continue;
        const row = args.map((arg) => this.#ofRow(arg, labels, at, last));
        if (fn.strict && row.length > 0 && row[0] === null) continue;
        const key = JSON.stringify(
          row.map((item, i) => text(item, args[i]?.type ?? { kind: 'text' })),
        );
        if (distinct && seen.has(key)) continue;
        seen.add(key);
        accumulator.add(row, 1);
      }
      return accumulator.result();
    }
    const index = value.from === 'first' ? value.offset : mapped.length - 1 - value.offset;
    const at = mapped[index];
    return at === undefined ? null : this.#ofRow(value.of, labels, at + value.shift, last);
  }

  /** While a match is made it has the next number already. */
  #conditionNumber(labels: readonly Label[]): number {
    return this.#isMatched === labels ? this.#number : this.#number + 1;
  }
  #isMatched: readonly Label[] | undefined;

  /** An expression over the row `at` rows behind the match's first one. */
  #ofRow(expression: BoundExpr, labels: readonly Label[], at: number, last: number): Value {
    const position = this.#start + at;
    if (position < 0) return null;
    const row = this.#rows[position];
    if (row === undefined) {
      if (this.#safeMicros === undefined) return null;
      throw new Awaited();
    }
    const label = at <= last ? labels[at] : undefined;
    const variable = label === undefined ? null : (this.#node.variables[label.variable] ?? null);
    const withVariable = (part: BoundExpr): BoundExpr =>
      part.kind === 'let-value' && part.id === ROW_CLASSIFIER
        ? { kind: 'literal', value: variable, type: part.type }
        : mapOperands(part, withVariable);
    return evaluate(withVariable(expression), row);
  }

  #nextAfter(labels: readonly Label[]): number {
    const { skip } = this.#node;
    if (labels.length === 0) return this.#start + 1;
    if (!('variables' in skip)) {
      return this.#start + (skip.kind === 'to-next-row' ? 1 : labels.length);
    }
    const isThere = ({ variable }: Label): boolean => skip.variables.includes(variable);
    const at = skip.kind === 'to-first' ? labels.findIndex(isThere) : labels.findLastIndex(isThere);
    if (at <= 0) throw new TooManyWays('a skip to no row is an error');
    return this.#start + at;
  }

  #matched(labels: readonly Label[]): Row[] {
    this.#isMatched = labels;
    const { rowsPerMatch, outputs, measures } = this.#node;
    const rowAt = (current: number, position: number): Row =>
      outputs.map((output) =>
        output.kind === 'column'
          ? (this.#rows[position]?.[output.column] ?? null)
          : this.#compute(measures[output.measure] as BoundExpr, labels, current),
      );
    if (labels.length === 0) {
      return rowsPerMatch === 'all-omit-empty' ? [] : [rowAt(-1, this.#start)];
    }
    if (rowsPerMatch === 'one') return [rowAt(labels.length - 1, this.#start)];
    return labels.flatMap(({ excluded }, at) => (excluded ? [] : [rowAt(at, this.#start + at)]));
  }

  #unmatched(): Row[] {
    if (this.#node.rowsPerMatch !== 'all-with-unmatched') return [];
    const row = this.#rows[this.#start] ?? [];
    return [
      this.#node.outputs.map((output) =>
        output.kind === 'column' ? (row[output.column] ?? null) : null,
      ),
    ];
  }
}

function* permutations(items: readonly BoundPattern[]): Generator<readonly BoundPattern[]> {
  if (items.length === 0) yield [];
  for (const [i, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(i, 1))) yield [item, ...rest];
  }
}
