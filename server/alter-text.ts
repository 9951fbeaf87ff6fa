/** The actions of ALTER on the syntax tree of the statement that made the relation. */

import type { Identifier, QualifiedName } from '../sql/ast.ts';
import type { AlterAction } from '../sql/ast-alter.ts';
import type { ColumnDefinition } from '../sql/ast-relation.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Relation } from '../sql/catalog.ts';
import type { AlterType, Conversions } from './column-conversion.ts';
import { namesColumn, withRenamedColumn } from './rename-column.ts';
import { withNamedConstraints } from './table-definition.ts';
import { isSerial } from './table-expansion.ts';

export type AlterStatement = Statement & { readonly kind: 'alter' };
export type CreateStatement = Statement & {
  readonly kind: 'create-relation' | 'create-view' | 'create-sink';
};
type CreateRelation = Statement & { readonly kind: 'create-relation' };

export interface Altered {
  readonly definition: CreateStatement;
  /** Per column of the new relation: its number in the old one, undefined for a new column. */
  readonly origins: readonly (number | undefined)[];
  /** Columns with another type. */
  readonly conversions: Conversions;
}

interface Draft {
  definition: CreateStatement;
  origins: (number | undefined)[];
  readonly conversions: Map<number, AlterType>;
}

/** @throws StreamError SQL_UNKNOWN_COLUMN, SQL_DUPLICATE_COLUMN, SQL_NOT_SUPPORTED, SQL_INVALID_DEFINITION. */
export function applyActions(
  { actions, name }: AlterStatement,
  relation: Relation,
  created: CreateStatement,
): Altered {
  const draft: Draft = {
    definition: { ...created, orReplace: false, ifNotExists: false },
    origins: relation.schema.map((_, i) => i),
    conversions: new Map(),
  };
  const isSource = relation.kind === 'table' || relation.kind === 'stream';
  if (isSource && created.kind === 'create-relation' && actions.some(needsNames)) {
    draft.definition = { ...draft.definition, ...withNamedConstraints(created, relation) };
  }
  for (const action of actions) {
    if (action.kind === 'rename') rename(draft, action.to, relation);
    else alterColumns(draft, action, relation, name);
  }
  return draft;
}

/** Constraints keep the names that they got from the names of then. */
function needsNames({ kind }: AlterAction): boolean {
  return /rename|constraint|drop-column/.test(kind);
}

function rename(draft: Draft, to: Identifier, relation: Relation): void {
  const { definition } = draft;
  const isSource = relation.kind === 'stream' || relation.kind === 'table';
  const topic = isSource ? relation.input?.topic : undefined;
  if (
    isSource &&
    topic !== undefined &&
    (relation.kind === 'table' || relation.query !== undefined)
  ) {
    throw notSupported(
      `RENAME of ${relation.kind} "${relation.name}", whose records go through a topic,`,
      to,
    );
  }
  const name: QualifiedName = {
    ...definition.name,
    parts: [...definition.name.parts.slice(0, -1), to],
  };
  // The topic has the relation's name unless something else is written.
  const isNamed = definition.options.some(({ key }) => /^(kafka_)?topic$/i.test(key));
  const options =
    topic === undefined || isNamed
      ? definition.options
      : [
          ...definition.options,
          {
            key: 'kafka_topic',
            value: { kind: 'string' as const, value: topic, span: to.span },
            span: to.span,
          },
        ];
  draft.definition = { ...definition, name, options };
}

function alterColumns(
  draft: Draft,
  action: Exclude<AlterAction, { readonly kind: 'rename' }>,
  relation: Relation,
  at: QualifiedName,
): void {
  const { definition } = draft;
  if (definition.kind !== 'create-relation' || definition.query !== undefined) {
    throw notSupported(`ALTER of the columns of ${relation.kind} "${relation.name}"`, at);
  }
  const isLocal = relation.kind === 'table' && relation.input === undefined;
  if (!isLocal && !(relation.kind === 'stream' && action.kind === 'add-column')) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      `this change of "${relation.name}" is not supported: its columns are members of records that are there already`,
      { at: at.span, hint: 'Create another relation over the same topic.' },
    );
  }
  switch (action.kind) {
    case 'add-column':
      addColumn(draft, definition, action, isLocal);
      return;
    case 'drop-column':
      dropColumn(draft, definition, action);
      return;
    case 'rename-column':
      renameColumn(draft, definition, action.column, action.to);
      return;
    case 'set-default':
      changeColumn(draft, definition, action.column, { default: action.default });
      return;
    case 'alter-type':
      changeType(draft, definition, action);
      return;
    case 'set-not-null':
      changeColumn(draft, definition, action.column, { notNull: true });
      return;
    case 'drop-not-null': {
      if (keyColumns(definition).has(action.column.name)) {
        throw new StreamError(
          'SQL_INVALID_DEFINITION',
          `column "${action.column.name}" is in a primary key`,
          { at: action.column.span },
        );
      }
      if (definition.columns.some((one) => one.name.name === action.column.name && one.identity)) {
        const table = definition.name.parts.at(-1)?.name;
        throw new StreamError(
          'SQL_SYNTAX',
          `column "${action.column.name}" of relation "${table}" is an identity column`,
          { at: action.column.span },
        );
      }
      changeColumn(draft, definition, action.column, { notNull: false });
      return;
    }
    case 'add-identity':
      changeColumn(draft, definition, action.column, {
        default: action.default,
        identity: { ...action.identity, options: [] },
      });
      return;
    case 'set-identity': {
      const { always } = action;
      if (always === undefined) return;
      changeColumn(draft, definition, action.column, { identity: { always, options: [] } });
      return;
    }
    case 'drop-identity':
      // As in PostgreSQL it stays NOT NULL.
      changeColumn(draft, definition, action.column, {
        ...{ default: undefined, identity: undefined, notNull: true },
      });
      return;
    case 'drop-expression':
      dropExpression(draft, definition, action);
      return;
    case 'add-constraint':
      draft.definition = {
        ...definition,
        constraints: [...definition.constraints, action.constraint],
      };
      return;
    case 'drop-constraint':
      dropConstraint(draft, definition, action, relation);
      return;
    case 'rename-constraint': {
      const { name, to } = action;
      if (!definition.constraints.some((one) => one.name?.name === name.name)) {
        throw unknownConstraint(name, relation);
      }
      const constraints = definition.constraints.map((one) =>
        one.name?.name === name.name ? { ...one, name: to } : one,
      );
      draft.definition = { ...definition, constraints };
      return;
    }
    default:
      throw notSupported(`ALTER … ${action.kind.replaceAll('-', ' ').toUpperCase()}`, at);
  }
}

/** The values that the column has stay. @throws StreamError SQL_COLUMN_STATE. */
function dropExpression(
  draft: Draft,
  definition: CreateRelation,
  { column, ifExists }: AlterAction & { readonly kind: 'drop-expression' },
): void {
  const known = definition.columns.find(({ name }) => name.name === column.name);
  if (known !== undefined && known.generated === undefined) {
    if (ifExists) return;
    throw columnState(definition.name.parts.at(-1)?.name, column, 'is not a generated column');
  }
  changeColumn(draft, definition, column, { generated: undefined });
}

/** @param what  the end of a sentence about the column. */
export const columnState = (
  table: string | undefined,
  { name, span }: Identifier,
  what: string,
): StreamError =>
  new StreamError('SQL_COLUMN_STATE', `column "${name}" of relation "${table}" ${what}`, {
    at: span,
  });

function changeType(draft: Draft, definition: CreateRelation, action: AlterType): void {
  const { column, type, using } = action;
  changeColumn(draft, definition, column, { type });
  const index = definition.columns.findIndex(({ name }) => name.name === column.name);
  const origin = draft.origins[index];
  if (origin === undefined || draft.conversions.has(origin)) {
    throw notSupported(
      `altering the type of "${column.name}" twice, or where it is added,`,
      column,
    );
  }
  const user = definition.columns.find(({ generated }) => namesColumn(generated, column.name));
  if (user !== undefined) {
    throw new StreamError(
      'SQL_NOT_SUPPORTED',
      'cannot alter type of a column used by a generated column',
      {
        at: column.span,
        detail: `Column "${column.name}" is used by generated column "${user.name.name}".`,
      },
    );
  }
  if (using !== undefined && definition.columns[index]?.generated !== undefined) {
    throw new StreamError(
      'SQL_INVALID_DEFINITION',
      'cannot specify USING when altering type of generated column',
      { at: using.span, detail: `Column "${column.name}" is a generated column.` },
    );
  }
  draft.conversions.set(origin, action);
}

function addColumn(
  draft: Draft,
  definition: CreateRelation,
  { column, ifNotExists }: AlterAction & { readonly kind: 'add-column' },
  isLocal: boolean,
): void {
  if (definition.columns.some(({ name }) => name.name === column.name.name)) {
    if (ifNotExists) return;
    throw new StreamError(
      'SQL_DUPLICATE_COLUMN',
      `column "${column.name.name}" of relation "${definition.name.parts.at(-1)?.name}" already exists`,
      { at: column.name.span },
    );
  }
  const hasKey =
    column.primaryKey || column.constraints?.some(({ kind }) => kind === 'primary-key');
  // Those of a table are a default by now, whose sequence is there.
  const isOwn = isSerial(column) || column.identity !== undefined;
  if (hasKey || (isOwn && (!isLocal || column.default === undefined))) {
    throw notSupported('ADD COLUMN with a key or an identity', column);
  }
  draft.definition = { ...definition, columns: [...definition.columns, column] };
  draft.origins = [...draft.origins, undefined];
}

function dropColumn(
  draft: Draft,
  definition: CreateRelation,
  { column, ifExists }: AlterAction & { readonly kind: 'drop-column' },
): void {
  const index = definition.columns.findIndex(({ name }) => name.name === column.name);
  if (index < 0 && ifExists) return;
  if (index < 0) throw unknownColumn(column, definition);
  if (keyColumns(definition).has(column.name)) {
    throw notSupported('DROP COLUMN of the primary key', column);
  }
  // As in PostgreSQL, what is about other columns too goes with this one.
  const constraints = definition.constraints.filter((one) =>
    one.kind === 'check'
      ? !namesColumn(one.expression, column.name)
      : !one.columns.some(({ name }) => name === column.name),
  );
  draft.definition = {
    ...definition,
    columns: definition.columns.toSpliced(index, 1),
    constraints,
  };
  draft.origins = draft.origins.toSpliced(index, 1);
}

function renameColumn(
  draft: Draft,
  definition: CreateRelation,
  from: Identifier,
  to: Identifier,
): void {
  if (definition.columns.some(({ name }) => name.name === to.name)) {
    throw new StreamError(
      'SQL_DUPLICATE_COLUMN',
      `column "${to.name}" of relation "${definition.name.parts.at(-1)?.name}" already exists`,
      { at: to.span },
    );
  }
  const swap = (name: Identifier): Identifier => (name.name === from.name ? to : name);
  const constraints = definition.constraints.map((constraint) =>
    constraint.kind === 'check'
      ? withRenamedColumn(constraint, from.name, to.name)
      : { ...constraint, columns: constraint.columns.map(swap) },
  );
  const columns = definition.columns.map((column) => ({
    ...column,
    generated: withRenamedColumn(column.generated, from.name, to.name),
  }));
  changeColumn(draft, { ...definition, columns, constraints }, from, { name: to });
}

function changeColumn(
  draft: Draft,
  definition: CreateRelation,
  column: Identifier,
  change: Partial<ColumnDefinition>,
): void {
  const index = definition.columns.findIndex(({ name }) => name.name === column.name);
  const known = definition.columns[index];
  if (known === undefined) throw unknownColumn(column, definition);
  const columns = definition.columns.with(index, { ...known, ...change });
  draft.definition = { ...definition, columns };
}

function keyColumns({ columns, constraints }: CreateRelation): ReadonlySet<string> {
  const listed = constraints.flatMap((constraint) =>
    constraint.kind === 'primary-key' ? constraint.columns.map(({ name }) => name) : [],
  );
  const inline = columns.flatMap(({ primaryKey, name }) => (primaryKey ? [name.name] : []));
  return new Set([...listed, ...inline]);
}

/** @throws StreamError SQL_UNKNOWN_OBJECT. */
function dropConstraint(
  draft: Draft,
  definition: CreateRelation,
  { name, ifExists }: AlterAction & { readonly kind: 'drop-constraint' },
  relation: Relation,
): void {
  const constraints = definition.constraints.filter((one) => one.name?.name !== name.name);
  if (constraints.length === definition.constraints.length && !ifExists) {
    throw unknownConstraint(name, relation);
  }
  const key = definition.constraints.find((one) => one.name?.name === name.name);
  const names = key?.kind === 'primary-key' ? key.columns.map((column) => column.name) : [];
  // The columns of a primary key were NOT NULL, and stay so.
  const columns = definition.columns.map((column) =>
    names.includes(column.name.name) ? { ...column, notNull: true } : column,
  );
  draft.definition = { ...definition, columns, constraints };
}

function unknownConstraint(name: Identifier, relation: Relation): StreamError {
  return new StreamError(
    'SQL_UNKNOWN_OBJECT',
    `constraint "${name.name}" of relation "${relation.name}" does not exist`,
    { at: name.span },
  );
}

function unknownColumn(column: Identifier, { name }: CreateRelation): StreamError {
  return new StreamError(
    'SQL_UNKNOWN_COLUMN',
    `column "${column.name}" of relation "${name.parts.at(-1)?.name}" does not exist`,
    { at: column.span },
  );
}

function notSupported(what: string, { span }: { readonly span: Identifier['span'] }): StreamError {
  return new StreamError('SQL_NOT_SUPPORTED', `${what} is not supported`, { at: span });
}
