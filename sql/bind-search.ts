/**
 * SEARCH and CYCLE of a recursive WITH item, written out as PostgreSQL's manual does it: columns that the base begins and the step
 * goes on with.
 */
import type {
  CommonTable,
  CycleClause,
  Expression,
  FromItem,
  Identifier,
  QueryBody,
  SearchClause,
  Select,
} from './ast.ts';
import { type Span, StreamError } from './base/error.ts';
import { plainQuery, plainSelect } from './plain-query.ts';

/** What the base and the step are called in the query around them. */
const BASE = '$base';
const STEP = '$step';

/**
 * The body of the item's query with the columns of its clauses behind its own.
 * @param names  of the item's own columns.
 * @throws StreamError SQL_SYNTAX, SQL_DUPLICATE_COLUMN, SQL_NOT_SUPPORTED, with PostgreSQL's messages.
 */
export function withSearchColumns(
  item: CommonTable,
  body: QueryBody & { readonly kind: 'set-operation' },
  names: readonly Identifier[],
): { readonly body: QueryBody; readonly columns: readonly Identifier[] } {
  const { search, cycle, span } = item;
  checkNames(search, cycle, names);
  const added = [
    ...(search === undefined ? [] : [searchColumn(search, span)]),
    ...(cycle === undefined ? [] : cycleColumns(cycle, span)),
  ];
  const step = carrying(item, body.right, added);
  const carried = added.filter(({ carried }) => carried).map(({ name }) => name);
  const whole = (of: string, pick: (column: AddedColumn) => Expression): Expression[] => [
    ...names.map((name) => columnOf(of, name, span)),
    ...added.map(pick),
  ];
  const left = selectFrom(
    whole(BASE, ({ first }) => first),
    derived(BASE, body.left, names, span),
    span,
  );
  const right = selectFrom(
    whole(STEP, ({ next }) => next),
    derived(STEP, step, [...names, ...carried], span),
    span,
  );
  return {
    body: { ...body, left, right },
    columns: [...names, ...added.map(({ name }) => name)],
  };
}

interface AddedColumn {
  readonly name: Identifier;
  /** Over the columns of the base. */
  readonly first: Expression;
  /** Over those of the step, and what it carries of the row that it is made of. */
  readonly next: Expression;
  /** Does the next value depend on the one before? */
  readonly carried: boolean;
  /** Rows that have it make no further ones. */
  readonly stop?: Expression | undefined;
}

function searchColumn(search: SearchClause, span: Span): AddedColumn {
  const { sequence, columns, order } = search;
  const before = columnOf(STEP, sequence, span);
  if (order === 'depth') {
    return {
      name: sequence,
      first: { kind: 'array', items: [rowOf(BASE, columns, span)], span },
      next: binary('||', before, rowOf(STEP, columns, span), span),
      carried: true,
    };
  }
  const type = { name: 'int8', modifiers: [], arrayDimensions: 0, span };
  const start: Expression = {
    kind: 'cast',
    operand: { kind: 'number', text: '0', span },
    type,
    try: false,
    span,
  };
  const depth: Expression = {
    kind: 'field',
    operand: before,
    field: { name: 'f1', quoted: false, span },
    span,
  };
  const one: Expression = { kind: 'number', text: '1', span };
  return {
    name: sequence,
    first: rowOf(BASE, columns, span, [start]),
    next: rowOf(STEP, columns, span, [binary('+', depth, one, span)]),
    carried: true,
  };
}

function cycleColumns(cycle: CycleClause, span: Span): readonly AddedColumn[] {
  const { mark, path, columns, value, otherwise } = cycle;
  const yes: Expression = value ?? { kind: 'boolean', value: true, span };
  const no: Expression = otherwise ?? { kind: 'boolean', value: false, span };
  const before = columnOf(STEP, path, span);
  const here = rowOf(STEP, columns, span);
  const isKnown: Expression = {
    kind: 'quantified',
    op: '=',
    quantifier: 'any',
    operand: here,
    right: { kind: 'array', array: before },
    span,
  };
  return [
    {
      name: mark,
      first: no,
      next: {
        kind: 'case',
        operand: undefined,
        // biome-ignore lint/suspicious/noThenProperty: the contract of a CASE expression names it so.
        whens: [{ when: isKnown, then: yes }],
        otherwise: no,
        span,
      },
      carried: false,
      stop: yes,
    },
    {
      name: path,
      first: { kind: 'array', items: [rowOf(BASE, columns, span)], span },
      next: binary('||', before, here, span),
      carried: true,
    },
  ];
}

/** The step with what it carries of the row that it is made of, which is none that ends a cycle. */
function carrying(item: CommonTable, body: QueryBody, added: readonly AddedColumn[]): QueryBody {
  if (body.kind !== 'select') {
    throw syntax(
      'with a SEARCH or CYCLE clause, the right side of the UNION must be a SELECT',
      body.span,
    );
  }
  const name = body.from.map((one) => nameOfReference(one, item.name.name)).find(Boolean);
  if (name === undefined) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `with a SEARCH or CYCLE clause, the recursive reference to WITH query "${item.name.name}" must be at the top level of its right-hand SELECT`,
      { at: body.span },
    );
  }
  const of = (column: AddedColumn): Expression => columnOf(name, column.name, body.span);
  const items = added
    .filter(({ carried }) => carried)
    .map((column) => ({ expression: of(column), alias: undefined, span: body.span }));
  let { where } = body;
  for (const column of added) {
    if (column.stop === undefined) continue;
    const goes = binary('<>', of(column), column.stop, body.span);
    where = where === undefined ? goes : { kind: 'and', left: where, right: goes, span: body.span };
  }
  return { ...body, items: [...body.items, ...items], where };
}

/** What the item is called in FROM. */
function nameOfReference(from: FromItem, item: string): string | undefined {
  if (from.kind === 'join') {
    return nameOfReference(from.left, item) ?? nameOfReference(from.right, item);
  }
  if (from.kind !== 'relation') return undefined;
  const [name, ...others] = from.name.parts;
  if (name?.name !== item || others.length > 0) return undefined;
  return from.alias?.name.name ?? item;
}

function checkNames(
  search: SearchClause | undefined,
  cycle: CycleClause | undefined,
  names: readonly Identifier[],
): void {
  const known = new Set(names.map(({ name }) => name));
  const checkList = (kind: string, columns: readonly Identifier[]): void => {
    const seen = new Set<string>();
    for (const { name, span } of columns) {
      if (!known.has(name)) {
        throw syntax(`${kind} column "${name}" not in WITH query column list`, span);
      }
      if (seen.has(name)) {
        throw new StreamError(
          'SQL_DUPLICATE_COLUMN',
          `${kind} column "${name}" specified more than once`,
          { at: span },
        );
      }
      seen.add(name);
    }
  };
  const added: { readonly what: string; readonly name: Identifier }[] = [];
  if (search !== undefined) {
    checkList('search', search.columns);
    added.push({ what: 'search sequence', name: search.sequence });
  }
  if (cycle !== undefined) {
    checkList('cycle', cycle.columns);
    added.push({ what: 'cycle mark', name: cycle.mark }, { what: 'cycle path', name: cycle.path });
  }
  for (const [index, { what, name }] of added.entries()) {
    if (known.has(name.name)) {
      throw syntax(
        `${what} column name "${name.name}" already used in WITH query column list`,
        name.span,
      );
    }
    const twin = added.slice(0, index).find((other) => other.name.name === name.name);
    if (twin === undefined) continue;
    throw syntax(`${twin.what} column name and ${what} column name are the same`, name.span);
  }
}

const syntax = (message: string, at: Span): StreamError =>
  new StreamError('SQL_SYNTAX', message, { at });

// --------------------------------------------------------------------- syntax

const quoted = (name: string, span: Span): Identifier => ({ name, quoted: true, span });

function columnOf(table: string, { name }: Identifier, span: Span): Expression {
  return { kind: 'column', name: { parts: [quoted(table, span), quoted(name, span)], span }, span };
}

const rowOf = (
  table: string,
  columns: readonly Identifier[],
  span: Span,
  before: readonly Expression[] = [],
): Expression => ({
  kind: 'row',
  items: [...before, ...columns.map((column) => columnOf(table, column, span))],
  explicit: true,
  span,
});

const binary = (op: string, left: Expression, right: Expression, span: Span): Expression => ({
  kind: 'binary',
  op,
  left,
  right,
  span,
});

function derived(
  name: string,
  body: QueryBody,
  columns: readonly Identifier[],
  span: Span,
): FromItem {
  return {
    kind: 'derived',
    query: plainQuery(body, { span }),
    lateral: false,
    alias: { name: quoted(name, span), columns },
    span,
  };
}

const selectFrom = (items: readonly Expression[], from: FromItem, span: Span): Select & QueryBody =>
  plainSelect(
    { items: items.map((expression) => ({ expression, alias: undefined, span })), from: [from] },
    span,
  );
