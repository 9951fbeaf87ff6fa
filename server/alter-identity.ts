/**
 * Identities and serial columns in ALTER TABLE. A new sequence is there before the table whose default asks it, and an old one goes
 * after it, so that no crash leaves a default without its sequence.
 */

import type { Identifier } from '../sql/ast.ts';
import type { AlterAction } from '../sql/ast-alter.ts';
import { assert } from '../sql/base/assert.ts';
import { typeName } from '../sql/base/type.ts';
import type { SourceRelation } from '../sql/catalog.ts';
import { parseTypeName } from '../sql/parser.ts';
import { bareColumn } from '../sql/parser-column.ts';
import { type AlterStatement, columnState } from './alter-text.ts';
import { bareName } from './constraints.ts';
import type { Core } from './core.ts';
import { withOptions } from './sequence-statement.ts';
import type { SequenceState } from './sequences.ts';
import { ownSequence, sequenceType, withSequence } from './table-expansion.ts';

type Action<K extends AlterAction['kind']> = AlterAction & { readonly kind: K };

interface Changes {
  readonly added: SequenceState[];
  readonly changed: SequenceState[];
  readonly dropped: SequenceState[];
}

/**
 * Runs the statement with what its identities and serial columns mean written out.
 * @throws StreamError SQL_COLUMN_STATE, SQL_INVALID_OPTION, and as `run`, after which the sequences are as they were.
 */
export async function withIdentities(
  core: Core,
  statement: AlterStatement,
  relation: SourceRelation,
  run: (statement: AlterStatement) => Promise<void>,
): Promise<void> {
  const changes: Changes = { added: [], changed: [], dropped: [] };
  const actions = statement.actions.flatMap((action) =>
    writtenOut(core, action, relation, changes),
  );
  const { added, changed, dropped } = changes;
  if (added.length + changed.length + dropped.length === 0) {
    await run({ ...statement, actions });
    return;
  }
  await core.engine.atBoundary(() => core.sequences.put(added));
  try {
    await run({ ...statement, actions });
  } catch (error) {
    await core.engine.atBoundary(() => core.sequences.remove(added));
    throw error;
  }
  await core.engine.atBoundary(async () => {
    await core.sequences.put(changed);
    await core.sequences.remove(dropped);
  });
}

/** @returns nothing for an action that has nothing to do. */
function writtenOut(
  core: Core,
  action: AlterAction,
  relation: SourceRelation,
  changes: Changes,
): readonly AlterAction[] {
  switch (action.kind) {
    case 'add-column': {
      const { column } = action;
      const isThere = relation.schema.some(({ name }) => name === column.name.name);
      const kind = isThere ? undefined : sequenceType(column);
      if (kind === undefined) return [action];
      const sequence = ownSequence(core, relation.name, column, kind);
      changes.added.push(sequence);
      return [{ ...action, column: withSequence(core, column, sequence) }];
    }
    case 'add-identity':
      return [addIdentity(core, action, relation, changes)];
    case 'set-identity': {
      requireIdentity(relation, action.column);
      const [known] = core.sequences.ownedBy(relation.name, action.column.name);
      assert(known !== undefined, 'an identity has a sequence');
      if (action.options.length > 0) changes.changed.push(withOptions(known, action.options));
      return [action];
    }
    case 'drop-identity':
      if (action.ifExists && identityOf(relation, action.column) === undefined) {
        if (relation.schema.some(({ name }) => name === action.column.name)) return [];
      }
      requireIdentity(relation, action.column);
      changes.dropped.push(...core.sequences.ownedBy(relation.name, action.column.name));
      return [action];
    default:
      return [action];
  }
}

function addIdentity(
  core: Core,
  action: Action<'add-identity'>,
  relation: SourceRelation,
  { added }: Changes,
): AlterAction {
  const { column, identity } = action;
  const table = bareName(relation);
  const index = relation.schema.findIndex(({ name }) => name === column.name);
  const known = relation.columns[index];
  const type = relation.schema[index]?.type;
  // What the column is not is said where the statement is applied.
  if (known === undefined || type === undefined) return action;
  if (!known.notNull) {
    throw columnState(table, column, 'must be declared NOT NULL before identity can be added');
  }
  if (known.identity !== undefined)
    throw columnState(table, column, 'is already an identity column');
  if (known.default !== undefined) throw columnState(table, column, 'already has a default value');
  const parsed = parseTypeName(typeName(type));
  const definition = { ...bareColumn(column, column.span), type: parsed, identity };
  const kind = sequenceType(definition);
  assert(kind !== undefined, 'an identity has a sequence');
  const sequence = ownSequence(core, relation.name, definition, kind);
  added.push(sequence);
  return { ...action, default: withSequence(core, definition, sequence).default };
}

const identityOf = ({ schema, columns }: SourceRelation, { name }: Identifier) =>
  columns[schema.findIndex((column) => column.name === name)]?.identity;

function requireIdentity(relation: SourceRelation, column: Identifier): void {
  const isThere = relation.schema.some(({ name }) => name === column.name);
  if (!isThere || identityOf(relation, column) !== undefined) return;
  throw columnState(bareName(relation), column, 'is not an identity column');
}
