/**
 * MERGE as one query: the target joined with the source, the number of the clause that each pair comes to, and the row that the
 * clause makes of it. Conditions and values are branches of a CASE, so that only those of the chosen clause are computed.
 */

import type { MergeAction, MergeWhen, Statement } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import { defaultOfPart } from './bind-assign-part.ts';
import { type BindContext, places } from './bind-context.ts';
import { bindFromItem } from './bind-from.ts';
import {
  asNullable,
  type BoundFrom,
  combineNames,
  type FromPlace,
  moveColumns,
  scopeOver,
} from './bind-from-place.ts';
import { withGenerated } from './bind-generated.ts';
import {
  checkCount,
  give,
  isLeftOut,
  plainRow,
  refuseGenerated,
  targetColumns,
} from './bind-insert.ts';
import { joinSchema } from './bind-join.ts';
import { bindAssignments, requireTable, targetNames, withRowNumber } from './bind-manipulation.ts';
import { project } from './bind-output.ts';
import { bindWith } from './bind-query.ts';
import { bindReturning } from './bind-returning.ts';
import {
  type CommonTables,
  columnOf,
  noTables,
  type Scope,
  type SpecialCalls,
} from './bind-scope.ts';
import { settlePlan } from './bind-volatile.ts';
import type { BoundMerge, Returning } from './bound-statement.ts';
import type { SourceRelation } from './catalog.ts';
import { coerceToBoolean, textType } from './coerce.ts';
import type { BoundExpr } from './expression.ts';
import type { JoinType, LogicalNode } from './logical-plan.ts';

type Merge = Statement & { readonly kind: 'merge' };
type Effect = BoundMerge['effects'][number];

/**
 * What the clauses are bound over. Columns of the pairs: the target's, its row's number (NULL without a target), the source's,
 * true (NULL without a source).
 */
interface Pairs {
  readonly relation: SourceRelation;
  readonly own: BoundFrom;
  /** Its columns counted from 0, without the mark. */
  readonly source: BoundFrom;
  readonly node: LogicalNode;
  readonly place: FromPlace;
  readonly both: Scope;
  readonly ownAlone: Scope;
  readonly sourceAlone: Scope;
}

/** @throws StreamError as UPDATE, DELETE and INSERT do; SQL_SYNTAX for a clause that no row comes to, SQL_DUPLICATE_ALIAS. */
export function bindMerge(
  statement: Merge,
  context: BindContext,
  around: CommonTables = noTables,
): BoundMerge {
  refuseUnreachable(statement.whens);
  const pairs = bindPairs(statement, context, around);
  const { relation, source, node } = pairs;
  const width = relation.schema.length;
  const number = columnOf(width, { kind: 'bigint' });
  const chosen = project(node, [
    ...node.schema.map(({ name, type }, index) => ({ name, expression: columnOf(index, type) })),
    { name: 'clause', expression: clauseNumber(statement.whens, pairs) },
  ]);
  const clause = columnOf(node.schema.length, { kind: 'integer' });
  const done: LogicalNode = {
    kind: 'filter',
    input: chosen,
    where: { kind: 'is-null', operand: clause, negated: true, type: { kind: 'boolean' } },
    schema: chosen.schema,
  };
  const rows = statement.whens.map((when) => rowOf(when, pairs));
  const next = relation.schema.map(({ name, type }, column) => ({
    name,
    expression: branches(
      clause,
      rows.map((row) => row?.[column]),
      { kind: 'literal', value: null, type },
    ),
  }));
  const changed = project(done, [
    ...relation.schema.map(({ name, type }, index) => ({
      name,
      expression: columnOf(index, type),
    })),
    ...next,
    ...source.node.schema.map(({ name, type }, index) => ({
      name,
      expression: columnOf(width + 1 + index, type),
    })),
    { name: 'clause', expression: clause },
    { name: 'row_number', expression: number },
  ]);
  const chosenClause = columnOf(2 * width + source.node.schema.length, { kind: 'integer' });
  const plan = withGenerated(changed, relation, width, (value) =>
    branches(
      chosenClause,
      rows.map((row) => row && value),
      { kind: 'literal', value: null, type: value.type },
    ),
  );
  return {
    kind: 'merge',
    relation,
    plan: settlePlan(plan, context),
    effects: statement.whens.map(({ action }): Effect => action.kind),
    returning: mergeReturning(statement, pairs),
  };
}

function refuseUnreachable(whens: readonly MergeWhen[]): void {
  const always = new Set<MergeWhen['match']>();
  for (const { match, condition, span } of whens) {
    if (always.has(match)) {
      throw new StreamError(
        'SQL_SYNTAX',
        'unreachable WHEN clause specified after unconditional WHEN clause',
        { at: span },
      );
    }
    if (condition === undefined) always.add(match);
  }
}

// ---------------------------------------------------------------------- pairs

function bindPairs(statement: Merge, context: BindContext, around: CommonTables): Pairs {
  const relation = requireTable(statement.relation, 'merge into', context);
  const outside = { context, parent: undefined, commonTables: around };
  const commonTables = bindWith(statement.with, { ...outside, resolveUnknown: true });
  const place: FromPlace = { ...outside, commonTables };
  const shown = statement.alias?.name ?? statement.relation.parts.at(-1)?.name ?? relation.name;
  const own = targetNames(relation, shown);
  const source = bindFromItem(statement.using, place);
  const left = withRowNumber(own.node);
  const right = withMark(source.node);
  const names = combineNames(
    { ...own, node: left },
    { ...source, node: right },
    statement.using.span,
  );
  const type = joinType(statement.whens);
  const schema = joinSchema(type, left.schema, right.schema);
  const both = scopeOver({ ...names, node: { kind: 'values', rows: [], schema } }, place);
  const bound = both.within(places.on, () => context.rules.expression(statement.on, both));
  const on = coerceToBoolean(bound, 'JOIN/ON', context);
  const moved = {
    node: source.node,
    tables: names.tables.slice(own.tables.length),
    columns: names.columns.slice(own.columns.length),
  };
  return {
    relation,
    own,
    source,
    node: { kind: 'join', type, left, right, on, lateral: false, schema },
    place,
    both,
    ownAlone: scopeOver(own, place),
    sourceAlone: scopeOver(moved, place),
  };
}

/** True behind the columns tells a row of NULLs from a row that is not there. */
function withMark(source: LogicalNode): LogicalNode {
  return project(source, [
    ...source.schema.map(({ name, type }, index) => ({ name, expression: columnOf(index, type) })),
    { name: 'is_there', expression: { kind: 'literal', value: true, type: { kind: 'boolean' } } },
  ]);
}

/** Rows without a partner are kept where a clause is about them. */
function joinType(whens: readonly MergeWhen[]): JoinType {
  const keepsTarget = whens.some(({ match }) => match === 'not-matched-by-source');
  const keepsSource = whens.some(({ match }) => match === 'not-matched-by-target');
  if (keepsTarget && keepsSource) return 'full';
  if (keepsTarget) return 'left';
  return keepsSource ? 'right' : 'inner';
}

// -------------------------------------------------------------------- clauses

/** The first clause whose condition is true; NULL when none is, or when it does nothing. */
function clauseNumber(whens: readonly MergeWhen[], pairs: Pairs): BoundExpr {
  const { relation, node } = pairs;
  const isThere = (index: number): BoundExpr => ({
    kind: 'is-null',
    operand: columnOf(index, node.schema[index]?.type ?? { kind: 'bigint' }),
    negated: true,
    type: { kind: 'boolean' },
  });
  const hasTarget = isThere(relation.schema.length);
  const hasSource = isThere(node.schema.length - 1);
  const of = (match: MergeWhen['match']): BoundExpr => firstTrue(whens, match, pairs);
  return {
    kind: 'case',
    whens: [
      branch(
        { kind: 'not', operand: hasSource, type: { kind: 'boolean' } },
        of('not-matched-by-source'),
      ),
      branch(hasTarget, of('matched')),
    ],
    otherwise: of('not-matched-by-target'),
    type: { kind: 'integer' },
  };
}

const branch = (when: BoundExpr, then: BoundExpr) => ({ when, then });

function firstTrue(
  whens: readonly MergeWhen[],
  match: MergeWhen['match'],
  pairs: Pairs,
): BoundExpr {
  const type = { kind: 'integer' } as const;
  const scope = scopeOf(match, pairs);
  const branches = whens.flatMap((when, index) => {
    if (when.match !== match) return [];
    const { action, condition } = when;
    const then: BoundExpr = {
      kind: 'literal',
      value: action.kind === 'nothing' ? null : index,
      type,
    };
    return [{ when: bindCondition(condition, scope), then }];
  });
  if (branches.length === 0) return { kind: 'literal', value: null, type };
  return { kind: 'case', whens: branches, otherwise: undefined, type };
}

function bindCondition(condition: MergeWhen['condition'], scope: Scope): BoundExpr {
  if (condition === undefined) return { kind: 'literal', value: true, type: { kind: 'boolean' } };
  const { context } = scope;
  const bound = scope.within(places.mergeWhen, () => context.rules.expression(condition, scope));
  return coerceToBoolean(bound, 'WHEN', context);
}

/** A clause sees the rows that are there. */
function scopeOf(match: MergeWhen['match'], { both, ownAlone, sourceAlone }: Pairs): Scope {
  if (match === 'matched') return both;
  return match === 'not-matched-by-source' ? ownAlone : sourceAlone;
}

/** The row that a clause makes; undefined for one that makes none. */
function rowOf({ match, action, span }: MergeWhen, pairs: Pairs): readonly BoundExpr[] | undefined {
  const { relation } = pairs;
  const scope = scopeOf(match, pairs);
  switch (action.kind) {
    case 'update': {
      const assigned = bindAssignments(action.set, relation, scope);
      return relation.schema.map(({ type }, index) => assigned.get(index) ?? columnOf(index, type));
    }
    case 'insert':
      return insertedRow({ ...action, span }, relation, scope);
    default:
      return undefined;
  }
}

type Insert = MergeAction & { readonly kind: 'insert' } & Pick<MergeWhen, 'span'>;

function insertedRow(insert: Insert, relation: SourceRelation, scope: Scope): readonly BoundExpr[] {
  const { values } = insert;
  const given = new Map<number, BoundExpr>();
  if (values === undefined) return plainRow(relation, given);
  const targets = targetColumns(insert, relation);
  checkCount(values.length, insert, targets, values);
  const { context } = scope;
  values.forEach((value, place) => {
    const target = targets[place];
    const column = insert.columns[place];
    if (value === 'default' && column?.path !== undefined) throw defaultOfPart(column);
    if (target === undefined || value === 'default') return;
    refuseGenerated(relation, target, value.span, insert.overriding);
    const bound = scope.within(places.values, () => context.rules.expression(value, scope));
    if (isLeftOut(insert, relation, target)) return;
    give(given, { relation, target, column }, bound, scope);
  });
  return plainRow(relation, given);
}

/** One column of the new row, as the chosen clause has it. */
function branches(
  clause: BoundExpr,
  values: readonly (BoundExpr | undefined)[],
  none: BoundExpr,
): BoundExpr {
  const whens = values.flatMap((then, index) => {
    if (then === undefined) return [];
    const value: BoundExpr = { kind: 'literal', value: index, type: clause.type };
    const when: BoundExpr = {
      kind: 'is-distinct',
      left: clause,
      right: value,
      negated: true,
      type: { kind: 'boolean' },
    };
    return [{ when, then }];
  });
  return whens.length === 0 ? none : { kind: 'case', whens, otherwise: undefined, type: none.type };
}

// ------------------------------------------------------------------ returning

/** Over the source's columns, the target's, and the name of what was done, which merge_action() gives. */
function mergeReturning(statement: Merge, pairs: Pairs): Returning | undefined {
  const { own, source, place, relation } = pairs;
  const offset = source.node.schema.length;
  const schema = [...asNullable(source.node.schema), ...relation.schema];
  const done = columnOf(schema.length, textType);
  const from: BoundFrom = {
    node: {
      kind: 'values',
      rows: [],
      schema: [...schema, { name: 'merge_action', type: textType, nullable: false }],
    },
    tables: combineNames(source, own, statement.using.span).tables,
    columns: [...source.columns, ...moveColumns(own.columns, offset)],
  };
  const calls: SpecialCalls = {
    bind: ({ args, span }, name) =>
      name === 'merge_action' && args.length === 0 ? { ...done, span } : undefined,
  };
  return bindReturning(statement.returning, relation, from, place, calls);
}
