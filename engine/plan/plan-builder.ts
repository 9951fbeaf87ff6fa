import { StreamError } from '../../sql/base/error.ts';
import type { Column, Schema } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { someExpression } from '../../sql/expression-map.ts';
import { mapColumns } from '../../sql/logical-map.ts';
import { canonical, fingerprint } from './fingerprint.ts';
import type { Forgetting, PhysicalNode, PhysicalShape } from './physical-node.ts';

/** Makes physical nodes in topological order, each different one once. */
export class PlanBuilder {
  readonly nodes: PhysicalNode[] = [];
  readonly #byFingerprint = new Map<string, PhysicalNode>();

  make(
    shape: PhysicalShape,
    schema: Schema,
    inputs: readonly PhysicalNode[],
    facts: { readonly appendOnly: boolean; readonly leaf?: string },
  ): PhysicalNode {
    const mark = fingerprint(shape, inputs, facts.leaf ?? '');
    const known = this.#byFingerprint.get(mark);
    if (known !== undefined) return known;
    const node: PhysicalNode = {
      ...shape,
      id: this.nodes.length,
      schema,
      inputs,
      appendOnly: facts.appendOnly,
      fingerprint: mark,
    };
    this.nodes.push(node);
    this.#byFingerprint.set(mark, node);
    return node;
  }

  /** The same node over other inputs, which have the same rows. */
  remake(
    node: PhysicalNode,
    inputs: readonly PhysicalNode[],
    forgets: Forgetting | undefined,
  ): PhysicalNode {
    const mark = fingerprint(node, inputs, forgets === undefined ? '' : canonical(forgets));
    const known = this.#byFingerprint.get(mark);
    if (known !== undefined) return known;
    const next = { ...node, id: this.nodes.length, inputs, forgets, fingerprint: mark };
    this.nodes.push(next);
    this.#byFingerprint.set(mark, next);
    return next;
  }

  /** A filter and projection over `input`; nothing to do = the input itself. */
  project(
    input: PhysicalNode,
    where: BoundExpr | undefined,
    expressions: readonly BoundExpr[],
    schema: Schema,
  ): PhysicalNode {
    for (const expression of expressions) checkComputable(expression, input.appendOnly);
    if (where !== undefined) checkComputable(where, input.appendOnly);
    const isIdentity =
      where === undefined &&
      expressions.length === input.schema.length &&
      expressions.every((expression, i) => expression.kind === 'column' && expression.index === i);
    if (isIdentity) return input;
    if (input.kind === 'project' && canFuse(input.expressions, where, expressions)) {
      const inner = input.expressions;
      const inline = (expression: BoundExpr): BoundExpr =>
        mapColumns(expression, (column) => inner[column.index] ?? column);
      const fused = expressions.map(inline);
      const condition = bothOf(input.where, where === undefined ? undefined : inline(where));
      const [source] = input.inputs;
      if (source !== undefined) {
        this.#forgetLast(input);
        return this.project(source, condition, fused, schema);
      }
    }
    return this.make({ kind: 'project', where, expressions }, schema, [input], {
      appendOnly: input.appendOnly,
    });
  }

  /** The given columns of `input`, in that order. */
  pick(input: PhysicalNode, columns: readonly number[]): PhysicalNode {
    const schema = columns.map((column) => columnAt(input.schema, column));
    const expressions = columns.map((column) => columnExpression(input.schema, column));
    return this.project(input, undefined, expressions, schema);
  }

  /** Drops a node that was just fused into its reader and has no other. */
  #forgetLast(node: PhysicalNode): void {
    if (this.nodes.at(-1) !== node) return;
    this.nodes.pop();
    this.#byFingerprint.delete(node.fingerprint);
  }
}

export function columnAt(schema: Schema, column: number): Column {
  const found = schema[column];
  if (found === undefined) throw new Error(`assertion failed: no column ${column} in a plan`);
  return found;
}

export function columnExpression(schema: Schema, index: number): BoundExpr {
  return { kind: 'column', index, type: columnAt(schema, index).type };
}

/** Both conditions, the first one first: AND is lazy, so that it guards the second. */
export function bothOf(
  first: BoundExpr | undefined,
  second: BoundExpr | undefined,
): BoundExpr | undefined {
  if (first === undefined) return second;
  if (second === undefined) return first;
  const args = [...conjuncts(first), ...conjuncts(second)];
  return { kind: 'and', args, type: { kind: 'boolean' } };
}

export function conjuncts(condition: BoundExpr): readonly BoundExpr[] {
  return condition.kind === 'and' ? condition.args.flatMap(conjuncts) : [condition];
}

/** Fusing must not compute anything twice: what is not a column or constant may be read once only. */
function canFuse(
  inner: readonly BoundExpr[],
  where: BoundExpr | undefined,
  outer: readonly BoundExpr[],
): boolean {
  const reads = new Map<number, number>();
  for (const expression of where === undefined ? outer : [...outer, where]) {
    mapColumns(expression, (column) => {
      reads.set(column.index, (reads.get(column.index) ?? 0) + 1);
      return column;
    });
  }
  return inner.every(
    (expression, i) =>
      expression.kind === 'column' || expression.kind === 'literal' || (reads.get(i) ?? 0) <= 1,
  );
}

/**
 * @throws StreamError SQL_NOT_INCREMENTAL for what has no value that depends on its row alone: a deletion must
 *   compute the same as the insertion that it takes back.
 */
export function checkComputable(expression: BoundExpr, appendOnly: boolean): void {
  someExpression(expression, (part) => {
    if (part.kind === 'subquery') {
      throw new StreamError(
        'SQL_NOT_INCREMENTAL',
        'this subquery cannot be kept up to date incrementally',
        {
          at: part.span,
          hint:
            part.mode === 'all'
              ? 'Write NOT IN as NOT EXISTS (SELECT 1 FROM … WHERE inner = outer), which also ignores NULLs of the inner query.'
              : 'Write it as a join, or as EXISTS or IN in the WHERE clause.',
        },
      );
    }
    if (part.kind === 'outer-column') {
      throw new StreamError(
        'SQL_NOT_INCREMENTAL',
        'a reference to an outer query cannot be kept up to date incrementally here',
        { at: part.span, hint: 'Write the inner query as a join.' },
      );
    }
    if (part.kind === 'call' && part.fn.volatility === 'volatile' && !appendOnly) {
      throw new StreamError(
        'SQL_NOT_INCREMENTAL',
        `${part.fn.name}() gives another value each time, so that a row that changes or goes could not be taken back`,
        { at: part.span, hint: 'Use it over a stream, whose rows are only ever added.' },
      );
    }
    return false;
  });
}

/** Numbers of the columns that expressions read, ascending. */
export function columnsOf(expressions: readonly BoundExpr[]): number[] {
  const columns = new Set<number>();
  for (const expression of expressions) {
    mapColumns(expression, (column) => {
      columns.add(column.index);
      return column;
    });
  }
  return [...columns].sort((a, b) => a - b);
}

/** Ascending, each once. */
export function unionOf(...lists: readonly (readonly number[])[]): number[] {
  return [...new Set(lists.flat())].sort((a, b) => a - b);
}

/** The expression over an input that has only `columns` of the original ones, in that order. */
export function reindex(expression: BoundExpr, columns: readonly number[]): BoundExpr {
  return mapColumns(expression, (column) => {
    const index = columns.indexOf(column.index);
    if (index < 0) throw new Error(`assertion failed: column ${column.index} was pruned`);
    return { ...column, index };
  });
}
