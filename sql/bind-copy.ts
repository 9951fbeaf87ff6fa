/** COPY … FROM STDIN and COPY … TO STDOUT. */

import type { Expression, Identifier, QualifiedName } from './ast.ts';
import type { Statement } from './ast-statement.ts';
import { StreamError } from './base/error.ts';
import type { Schema } from './base/type.ts';
import { type BindContext, places } from './bind-context.ts';
import { settledRow } from './bind-insert.ts';
import { columnNumber, requireWritable } from './bind-manipulation.ts';
import { project } from './bind-output.ts';
import { bindOver } from './bind-over.ts';
import { requireRelation } from './bind-relation.ts';
import { columnOf } from './bind-scope.ts';
import { settleExpression, settlePlan } from './bind-volatile.ts';
import type { BoundCopyFrom } from './bound-statement.ts';
import { hiddenFromOf, type Relation, type SourceRelation } from './catalog.ts';
import { coerceToBoolean } from './coerce.ts';
import { type CopyFormat, readCopyFormat } from './copy-format.ts';
import type { BoundExpr } from './expression.ts';
import { someExpression } from './expression-map.ts';
import type { LogicalNode } from './logical-plan.ts';

type Copy = Statement & { readonly kind: 'copy' };

/** @throws StreamError SQL_NOT_SUPPORTED for files of the server, which nobody should read and write by SQL. */
export function copyFormatOf({ target, options, direction, span }: Copy): CopyFormat {
  if (target === 'stdin' || target === 'stdout') return readCopyFormat(options, direction);
  throw new StreamError('SQL_NOT_SUPPORTED', 'COPY of a file of the server is not supported', {
    at: span,
    hint: `Use COPY … ${direction === 'from' ? 'FROM STDIN' : 'TO STDOUT'}, or \\copy in "millrace sql".`,
  });
}

// ----------------------------------------------------------------------- from

/** @throws StreamError SQL_WRONG_OBJECT_TYPE, SQL_UNKNOWN_COLUMN, SQL_DUPLICATE_COLUMN, SQL_INVALID_COLUMN_REFERENCE, … */
export function bindCopyFrom(
  statement: Copy,
  name: QualifiedName,
  context: BindContext,
): BoundCopyFrom {
  const format = copyFormatOf(statement);
  refuseReadOnly(requireRelation(name, context), name);
  const relation = requireWritable(name, context);
  const columns = copiedColumns(statement.columns, relation);
  checkForced(format, relation, columns);
  const settled = (expression: BoundExpr): BoundExpr => settleExpression(expression, context);
  return {
    kind: 'copy-from',
    relation,
    columns,
    ...settledRow(relation, columns, context),
    defaults: columns.map((column) => {
      const value = relation.columns[column]?.default;
      return value && settled(value);
    }),
    where: statement.where && settled(bindCondition(statement.where, relation, context)),
    format,
  };
}

function refuseReadOnly(relation: Relation, name: QualifiedName): void {
  const { kind } = relation;
  if (kind !== 'view' && kind !== 'materialized-view' && kind !== 'sink') return;
  const noun = kind.replaceAll('-', ' ');
  throw new StreamError('SQL_WRONG_OBJECT_TYPE', `cannot copy to ${noun} "${relation.name}"`, {
    at: name.span,
    hint: 'Copy into the relations that it is computed from.',
  });
}

/** Those that are written, or all that can be. */
function copiedColumns(names: readonly Identifier[], relation: SourceRelation): readonly number[] {
  const isCopied = (index: number): boolean => {
    const from = relation.columns[index]?.from;
    return from?.kind !== 'generated' && from?.kind !== 'metadata' && from?.kind !== 'header';
  };
  if (names.length === 0) return [...relation.schema.keys()].filter(isCopied);
  const seen = new Set<number>();
  for (const name of names) {
    const index = columnNumber(name, relation);
    if (seen.has(index)) {
      const message = `column "${name.name}" specified more than once`;
      throw new StreamError('SQL_DUPLICATE_COLUMN', message, { at: name.span });
    }
    if (!isCopied(index)) {
      throw new StreamError(
        'SQL_INVALID_COLUMN_REFERENCE',
        `column "${name.name}" is a generated column`,
        { at: name.span, detail: 'Generated columns cannot be used in COPY.' },
      );
    }
    seen.add(index);
  }
  return [...seen];
}

/** FORCE_… may name columns that are copied. */
function checkForced(
  format: CopyFormat,
  relation: SourceRelation,
  columns: readonly number[],
): void {
  const copied = new Set(columns.map((column) => relation.schema[column]?.name));
  for (const [key, names] of [
    ['FORCE_NOT_NULL', format.forceNotNull],
    ['FORCE_NULL', format.forceNull],
  ] as const) {
    if (names === 'all') continue;
    for (const name of names) requireCopied(name, key, relation.schema, copied, relation.name);
  }
}

function requireCopied(
  name: string,
  key: string,
  schema: Schema,
  copied: ReadonlySet<string | undefined>,
  relation: string,
): void {
  if (copied.has(name)) return;
  if (!schema.some((column) => column.name === name)) {
    const message = `column "${name}" of relation "${relation}" does not exist`;
    throw new StreamError('SQL_UNKNOWN_COLUMN', message);
  }
  const message = `${key} column "${name}" not referenced by COPY`;
  throw new StreamError('SQL_INVALID_COLUMN_REFERENCE', message);
}

function bindCondition(
  where: Expression,
  relation: SourceRelation,
  context: BindContext,
): BoundExpr {
  const shown = relation.name.split('.').at(-1);
  const bound = bindOver(where, relation.schema, places.copyWhere, context, shown);
  const isGenerated = someExpression(
    bound,
    (part) => part.kind === 'column' && relation.columns[part.index]?.from.kind === 'generated',
  );
  if (!isGenerated) return coerceToBoolean(bound, 'WHERE', context);
  throw new StreamError(
    'SQL_INVALID_COLUMN_REFERENCE',
    'generated columns are not supported in COPY FROM WHERE conditions',
    { at: where.span },
  );
}

// ------------------------------------------------------------------------- to

/** The rows of a relation, its generated columns left out. */
export function bindCopyTo(
  statement: Copy,
  name: QualifiedName,
  format: CopyFormat,
  context: BindContext,
): LogicalNode {
  const relation = requireRelation(name, context);
  if (relation.kind === 'view' || relation.kind === 'sink') {
    throw new StreamError(
      'SQL_WRONG_OBJECT_TYPE',
      `cannot copy from ${relation.kind} "${relation.name}"`,
      { at: name.span, hint: 'Try the COPY (SELECT ...) TO variant.' },
    );
  }
  const columns =
    relation.kind === 'materialized-view'
      ? viewColumns(statement.columns, relation)
      : copiedColumns(statement.columns, relation);
  if (format.forceQuote !== 'all') {
    const copied = new Set(columns.map((column) => relation.schema[column]?.name));
    for (const forced of format.forceQuote) {
      requireCopied(forced, 'FORCE_QUOTE', relation.schema, copied, relation.name);
    }
  }
  const scan: LogicalNode = { kind: 'scan', relation: relation.name, schema: relation.schema };
  const plan = project(
    scan,
    columns.map((index) => {
      const column = relation.schema[index] ?? { name: '', type: { kind: 'text' as const } };
      return { name: column.name, expression: columnOf(index, column.type) };
    }),
  );
  return settlePlan(plan, context);
}

/** Those that are named, or those that `*` gives. */
function viewColumns(names: readonly Identifier[], relation: Relation): readonly number[] {
  const { schema, name } = relation;
  if (names.length === 0) return [...schema.keys()].slice(0, hiddenFromOf(relation));
  return names.map((written) => {
    const index = schema.findIndex((column) => column.name === written.name);
    if (index >= 0) return index;
    const message = `column "${written.name}" of relation "${name}" does not exist`;
    throw new StreamError('SQL_UNKNOWN_COLUMN', message, { at: written.span });
  });
}
