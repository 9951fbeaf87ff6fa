/** What DEFINE and MEASURES read of a match: navigation, aggregates, CLASSIFIER, MATCH_NUMBER. */
import type { Expression, FunctionCall } from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import { type BindExpression, bindAggregateParts, isAggregateName } from './bind-aggregate.ts';
import { functionName } from './bind-call.ts';
import type { Place } from './bind-context.ts';
import type { PatternVariables } from './bind-match-pattern.ts';
import {
  columnOf,
  type Scope,
  type ScopeColumn,
  type ScopeTable,
  type SpecialCalls,
} from './bind-scope.ts';
import { bigintType, resolveUnknown, textType, tryCoerce } from './coerce.ts';
import { evaluateConstant } from './evaluate.ts';
import type { BoundAggregate, BoundExpr } from './expression.ts';
import { mapAggregate, someExpression } from './expression-map.ts';
import { mapColumns } from './logical-map.ts';
import { type MatchRows, type MatchValue, matchValueId, ROW_CLASSIFIER } from './row-pattern.ts';

/**
 * While an expression is bound, column c of variable v is column `(v + 1) * VARIABLE_BASE + c`, so that it can be seen
 * which rows it is of; without a variable it is c, of all rows.
 */
const VARIABLE_BASE = 100_000;

/** Furthest that FIRST, LAST, PREV and NEXT may go, in rows. */
const OFFSET_MAX = 10_000;

const inNavigation: Place = {
  label: 'row pattern navigation',
  aggregates: false,
  windows: false,
  sets: false,
  subqueries: false,
};

const NAVIGATION: ReadonlySet<string> = new Set(['first', 'last', 'prev', 'next']);

interface Navigation {
  readonly of: Expression;
  readonly from: 'first' | 'last';
  readonly offset: number;
  readonly shift: number;
  readonly final: boolean;
}

export class MatchValues implements SpecialCalls {
  readonly list: MatchValue[] = [];
  readonly #variables: PatternVariables;
  readonly #names: readonly string[];
  /** FINAL has no meaning while the match is still being made. */
  readonly #clause: () => 'DEFINE' | 'MEASURES';
  /** What is bound is over one row: variables of CLASSIFIER calls seen there; undefined outside. */
  #inside: (string | undefined)[] | undefined;

  constructor(variables: PatternVariables, clause: () => 'DEFINE' | 'MEASURES') {
    this.#variables = variables;
    this.#names = [...variables.byName.keys()];
    this.#clause = clause;
  }

  /** The columns of each variable under its name. */
  tables(columns: readonly ScopeColumn[]): readonly ScopeTable[] {
    return this.#names.map((name, variable) => ({
      name,
      columns: columns.map((column) => ({
        ...column,
        expression: mapColumns(column.expression, (part) => ({
          ...part,
          index: part.index + (variable + 1) * VARIABLE_BASE,
        })),
      })),
      relation: undefined,
      primaryKey: undefined,
    }));
  }

  readonly bind = (
    call: FunctionCall,
    name: string,
    scope: Scope,
    bind: BindExpression,
  ): BoundExpr | undefined => {
    this.#checkFinal(call);
    if (name === 'match_number') return this.#matchNumber(call);
    if (name === 'classifier') return this.#classifier(call);
    if (NAVIGATION.has(name)) return this.#navigation(call, name, scope, bind);
    if (isAggregateName(name, scope.context)) return this.#aggregate(call, name, scope, bind);
    if (call.semantics !== undefined) {
      throw syntax(
        `${call.semantics.toUpperCase()} belongs before FIRST, LAST, CLASSIFIER or an aggregate`,
        call.span,
      );
    }
    return undefined;
  };

  /** The finished expression: columns outside of navigation are those of the variable's last row. */
  finish(bound: BoundExpr): BoundExpr {
    return mapColumns(bound, (column) => {
      const { of, rows } = this.#ofRows([column], []);
      return this.#add({
        kind: 'navigate',
        of: of[0] ?? column,
        rows,
        from: 'last',
        offset: 0,
        shift: 0,
        final: false,
        type: column.type,
      });
    });
  }

  #add(value: MatchValue, span?: Span): BoundExpr {
    this.list.push(value);
    return { kind: 'let-value', id: matchValueId(this.list.length - 1), type: value.type, span };
  }

  #checkFinal(call: FunctionCall): void {
    if (call.semantics !== 'final' || this.#clause() === 'MEASURES') return;
    throw syntax(
      'FINAL is not allowed in DEFINE',
      call.span,
      'A condition sees the rows up to its own.',
    );
  }

  #matchNumber(call: FunctionCall): BoundExpr {
    this.#refuseInside(call, 'MATCH_NUMBER');
    plain(call, 0, 0);
    return this.#add({ kind: 'match-number', type: bigintType }, call.span);
  }

  #classifier(call: FunctionCall): BoundExpr {
    plain(call, 0, 1);
    const argument = call.args[0]?.value;
    const name = argument === undefined ? undefined : this.#variableName(argument);
    const of: BoundExpr = {
      kind: 'let-value',
      id: ROW_CLASSIFIER,
      type: textType,
      span: call.span,
    };
    if (this.#inside !== undefined) {
      this.#inside.push(name);
      return of;
    }
    const rows = name === undefined ? undefined : this.#variables.byName.get(name);
    const final = call.semantics === 'final';
    return this.#add(
      { kind: 'navigate', of, rows, from: 'last', offset: 0, shift: 0, final, type: textType },
      call.span,
    );
  }

  #variableName(node: Expression): string {
    const name = node.kind === 'column' && node.name.parts.length === 1 && node.name.parts[0]?.name;
    if (typeof name === 'string' && this.#variables.byName.has(name)) return name;
    throw syntax('CLASSIFIER takes a pattern variable', node.span);
  }

  #navigation(call: FunctionCall, name: string, scope: Scope, bind: BindExpression): BoundExpr {
    this.#refuseInside(call, name.toUpperCase());
    const { of, ...way } = navigationOf(call, name, scope);
    const { bound, classifiers } = this.#bindInside(() =>
      scope.within(inNavigation, () => resolveUnknown(bind(of, scope), scope.context)),
    );
    const found = this.#ofRows([bound], classifiers);
    if (!readsRow(bound)) {
      throw syntax(`${name.toUpperCase()} needs a column of a row to go to`, of.span);
    }
    return this.#add(
      { kind: 'navigate', of: found.of[0] ?? bound, rows: found.rows, ...way, type: bound.type },
      call.span,
    );
  }

  #aggregate(written: FunctionCall, name: string, scope: Scope, bind: BindExpression): BoundExpr {
    this.#refuseInside(written, name);
    const star = this.#starOf(written);
    const call = star === undefined ? written : { ...written, args: [], star: true };
    const { bound, classifiers } = this.#bindInside(() =>
      bindAggregateParts(call, name, scope, bind, inNavigation),
    );
    if (bound.orderBy.length > 0) {
      throw new StreamError('SQL_NOT_SUPPORTED', 'aggregates of a match take no ORDER BY', {
        at: call.span,
        hint: 'They see the rows in the order of the match.',
      });
    }
    const { rows } = this.#ofRows(expressionsOf(bound), star === undefined ? classifiers : [star]);
    const aggregate = mapAggregate(bound, (part) => withoutVariable(part));
    const final = call.semantics === 'final';
    return this.#add({ kind: 'aggregate', aggregate, rows, final, type: bound.type }, call.span);
  }

  /** `count(A.*)`: the variable. */
  #starOf(call: FunctionCall): string | undefined {
    const argument = call.args.length === 1 ? call.args[0]?.value : undefined;
    if (argument?.kind !== 'star' || argument.qualifier?.parts.length !== 1) return undefined;
    const name = argument.qualifier.parts[0]?.name;
    return name !== undefined && this.#variables.byName.has(name) ? name : undefined;
  }

  #bindInside<Bound>(bind: () => Bound): {
    readonly bound: Bound;
    readonly classifiers: readonly (string | undefined)[];
  } {
    const classifiers: (string | undefined)[] = [];
    this.#inside = classifiers;
    try {
      return { bound: bind(), classifiers };
    } finally {
      this.#inside = undefined;
    }
  }

  #refuseInside(call: FunctionCall, what: string): void {
    if (this.#inside === undefined) return;
    throw syntax(
      `${what} cannot stand inside of row pattern navigation or an aggregate`,
      call.span,
      'Only FIRST and LAST may, directly inside of PREV and NEXT.',
    );
  }

  /** The expressions over one row, and which rows these are. */
  #ofRows(
    expressions: readonly BoundExpr[],
    classifiers: readonly (string | undefined)[],
  ): { readonly of: readonly BoundExpr[]; readonly rows: MatchRows } {
    const names = new Set<string | undefined>(classifiers);
    let at: Span | undefined;
    for (const expression of expressions) {
      mapColumns(expression, (column) => {
        names.add(this.#names[Math.floor(column.index / VARIABLE_BASE) - 1]);
        at ??= column.span;
        return column;
      });
    }
    if (names.size > 1) {
      throw new StreamError(
        'SQL_INVALID_COLUMN_REFERENCE',
        'columns of several pattern variables in one navigation or aggregate',
        { at, hint: 'Take each by itself: LAST(a.x) + LAST(b.x); or name both in a SUBSET.' },
      );
    }
    const [name] = names;
    return {
      of: expressions.map(withoutVariable),
      rows: name === undefined ? undefined : this.#variables.byName.get(name),
    };
  }
}

const withoutVariable = (expression: BoundExpr): BoundExpr =>
  mapColumns(expression, (column) => columnOf(column.index % VARIABLE_BASE, column.type));

const expressionsOf = (aggregate: BoundAggregate): readonly BoundExpr[] =>
  aggregate.filter === undefined ? aggregate.args : [...aggregate.args, aggregate.filter];

const readsRow = (expression: BoundExpr): boolean =>
  someExpression(
    expression,
    (part) => part.kind === 'column' || (part.kind === 'let-value' && part.id === ROW_CLASSIFIER),
  );

function navigationOf(call: FunctionCall, name: string, scope: Scope): Navigation {
  plain(call, 1, 2);
  const of = call.args[0]?.value ?? { kind: 'null', span: call.span };
  const steps = call.args[1]?.value;
  if (name === 'first' || name === 'last') {
    const offset = steps === undefined ? 0 : rowsOf(steps, scope);
    return { of, from: name, offset, shift: 0, final: call.semantics === 'final' };
  }
  if (call.semantics !== undefined) {
    throw syntax(
      `${call.semantics.toUpperCase()} belongs before FIRST, LAST or an aggregate`,
      call.span,
      `Write ${name.toUpperCase()}(${call.semantics.toUpperCase()} LAST(…)).`,
    );
  }
  const distance = steps === undefined ? 1 : rowsOf(steps, scope);
  const shift = name === 'prev' ? -distance : distance;
  if (of.kind === 'call') {
    const inner = functionName(of);
    if (inner === 'first' || inner === 'last') {
      return { ...navigationOf(of, inner, scope), shift };
    }
  }
  return { of, from: 'last', offset: 0, shift, final: false };
}

/** @throws StreamError VALUE_INVALID_PARAMETER for what is no whole number of rows from 0 to OFFSET_MAX. */
function rowsOf(node: Expression, scope: Scope): number {
  const { context } = scope;
  const raw = scope.within(inNavigation, () => context.rules.expression(node, scope));
  const bound = tryCoerce(raw, bigintType, 'implicit', context);
  const value = bound && evaluateConstant(bound);
  if (typeof value === 'bigint' && value >= 0n && value <= BigInt(OFFSET_MAX)) return Number(value);
  throw new StreamError(
    'VALUE_INVALID_PARAMETER',
    `how far to go must be a constant number of rows from 0 to ${OFFSET_MAX}`,
    { at: node.span },
  );
}

/** Neither DISTINCT nor any clause behind the arguments. */
function plain(call: FunctionCall, least: number, most: number): void {
  const count = call.args.length;
  const name = functionName(call).toUpperCase();
  const isPlain =
    !call.star &&
    !call.distinct &&
    !call.variadic &&
    call.orderBy.length === 0 &&
    call.filter === undefined &&
    call.nulls === undefined &&
    call.over === undefined;
  if (isPlain && count >= least && count <= most) return;
  const range = least === most ? `${least}` : `${least} or ${most}`;
  throw syntax(`${name} takes ${range} arguments and no further clause`, call.span);
}

function syntax(message: string, at: Span, hint?: string): StreamError {
  return new StreamError('SQL_SYNTAX', message, { at, hint });
}
