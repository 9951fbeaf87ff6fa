/**
 * ALTER TYPE. Values are places in an order, so a new or renamed label changes no stored row and no state of an operator. What reads
 * the text of labels would mean something else from then on, and is named instead.
 */
import type { AlterTypeAction } from '../sql/ast-alter.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { assert } from '../sql/base/assert.ts';
import {
  type EnumLabel,
  type EnumType,
  withLabel,
  withRenamedLabel,
} from '../sql/base/enum-type.ts';
import { StreamError } from '../sql/base/error.ts';
import { findNamed, keyBeside } from '../sql/bind-schema.ts';
import { bindContext } from '../sql/binder.ts';
import type { StatementContext, UserType } from '../sql/catalog.ts';
import { withSpan } from '../sql/coerce.ts';
import { nameText } from '../sql/deparse-name.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { relationOf } from './ddl.ts';
import { errorCounts } from './error-relations.ts';
import { redefineSource } from './lifecycle/source.ts';
import type { LiveRelation } from './live-catalog.ts';
import { okResult } from './row-result.ts';
import { findType } from './type-statement.ts';
import {
  calledWith,
  type LabelUse,
  refuseRoutines,
  relationsWith,
  typesWith,
  usesLabels,
} from './type-usage.ts';
import { enumOf, requireEnum, saveTypes } from './user-types.ts';

type AlterType = Statement & { readonly kind: 'alter-type' };
type Action<K extends AlterTypeAction['kind']> = AlterTypeAction & { readonly kind: K };

const TAG = 'ALTER TYPE';

/** @throws StreamError SQL_UNKNOWN_TYPE, SQL_WRONG_OBJECT_TYPE, SQL_DUPLICATE_OBJECT, SQL_DEPENDENT_OBJECTS. */
export async function alterType(
  core: Core,
  { name, action, span }: AlterType,
  context: StatementContext,
): Promise<StatementResult> {
  const type = findType(core, name, context);
  if (type === undefined) {
    const relation = findNamed(name, bindContext(core.catalog, context, 'view'));
    if (relation !== undefined) {
      throw new StreamError('SQL_WRONG_OBJECT_TYPE', `${nameText(name)} is not an enum`, {
        at: name.span,
      });
    }
    throw new StreamError('SQL_UNKNOWN_TYPE', `type "${nameText(name)}" does not exist`, {
      at: name.span,
    });
  }
  switch (action.kind) {
    case 'add-value':
      return withSpanOf(span, () => addValue(core, type, action));
    case 'rename-value':
      return withSpanOf(span, () => renameValue(core, type, action));
    case 'rename':
      return withSpanOf(span, () => renameType(core, type, action.to.name));
    default:
      throw new StreamError('SQL_NOT_SUPPORTED', 'ALTER TYPE … SET SCHEMA is not supported', {
        at: span,
      });
  }
}

async function withSpanOf<T>(span: AlterType['span'], run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    return withSpan(span, () => {
      throw error;
    });
  }
}

async function addValue(
  core: Core,
  type: UserType,
  { label, neighbor, ifNotExists }: Action<'add-value'>,
): Promise<StatementResult> {
  const { enumeration } = requireEnum(type);
  if (ifNotExists && enumeration.has(label)) {
    return okResult(TAG, `enum label "${label}" already exists, skipping`);
  }
  const labels = withLabel(enumeration.labels, label, neighbor);
  const users = usersOf(core, type);
  refuseLabelUse(core, users, enumeration, 'from-text', `add a value to type ${type.name}`);
  const owners = relationsWith(core, type).map(({ entry }) => entry);
  for (const entry of owners) refuseLostErrors(core, entry, enumeration);
  // Records that were refused for want of this label may be rows from now on: until REPLAY ERRORS they are left out.
  for (const { relation } of owners) {
    const isFed = relation.kind === 'stream' || relation.kind === 'table';
    if (!isFed || relation.input === undefined) continue;
    const count = errorCounts(core, relation.name)?.count ?? 0;
    if (count > 0) await redefineSource(core, relation, true);
  }
  await commit(core, enumeration, labels);
  return okResult(TAG, '');
}

/** Views before and after would differ when a record that was refused, and is not known any more, could be a row. */
function refuseLostErrors(core: Core, { relation }: LiveRelation, { name }: EnumType): void {
  if (relation.kind !== 'stream' && relation.kind !== 'table') return;
  const { count = 0, evicted = 0 } = errorCounts(core, relation.name) ?? {};
  const isChangelog = relation.kind === 'table' && relation.primaryKey.length > 0;
  if (evicted === 0 && !(isChangelog && count > 0)) return;
  throw new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot add a value to type ${name} because ${relation.kind} ${relation.name} has refused records`,
    {
      detail: isChangelog
        ? 'A changelog cannot be read out of order.'
        : `${evicted} of them are no longer in "${relation.name}_errors".`,
      hint: `DROP ${relation.kind.toUpperCase()} ${relation.name} first, and create it again.`,
    },
  );
}

async function renameValue(
  core: Core,
  type: UserType,
  { from, to }: Action<'rename-value'>,
): Promise<StatementResult> {
  const { enumeration } = requireEnum(type);
  const before = enumeration.labels;
  const labels = withRenamedLabel(before, from, to);
  const users = usersOf(core, type);
  const what = `rename a value of type ${type.name}`;
  for (const { entry } of relationsWith(core, type)) {
    const { relation } = entry;
    const isFed = relation.kind === 'stream' || relation.kind === 'table';
    if (relation.kind !== 'sink' && !(isFed && relation.input !== undefined)) continue;
    throw dependentError(what, relation, 'the label is in records of a topic');
  }
  refuseLabelUse(core, users, enumeration, 'from-text', what);
  refuseLabelUse(core, users, enumeration, 'to-text', what);
  const domain = typesWith(core.catalog, type).find((one) => one.domain !== undefined);
  if (domain !== undefined) {
    const named = { kind: 'domain', name: domain.name } as const;
    throw dependentError(what, named, 'its checks and its default may name the label');
  }
  // Nothing runs between these lines: nobody sees the labels of the trial.
  enumeration.replaceLabels(labels);
  try {
    for (const { relation, detail } of users) {
      try {
        relationOf(core, relation.sql, relation.id, detail);
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        throw dependentError(what, relation, error.message);
      }
    }
  } finally {
    enumeration.replaceLabels(before);
  }
  await commit(core, enumeration, labels);
  // Who has read the old label asks for another version.
  core.engine.relabel(relationsWith(core, type).map(({ entry }) => entry.relation.id));
  return okResult(TAG, '');
}

async function renameType(core: Core, type: UserType, to: string): Promise<StatementResult> {
  const name = keyBeside(core.catalog, type.name, to);
  if (core.catalog.type(name) !== undefined || core.catalog.relation(name) !== undefined) {
    throw new StreamError('SQL_DUPLICATE_OBJECT', `type "${to}" already exists`);
  }
  const [user] = relationsWith(core, type);
  if (user !== undefined) {
    throw dependentError(
      `rename type ${type.name}`,
      user.entry.relation,
      'the name is in its text',
    );
  }
  refuseRoutines(core, type, `rename type ${type.name}`);
  const [other] = typesWith(core.catalog, type);
  if (other !== undefined) {
    const named = { kind: 'type', name: other.name } as const;
    throw dependentError(`rename type ${type.name}`, named, 'the name is in its text');
  }
  if (type.type.kind !== 'enum' || type.domain !== undefined) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'only enum types can be renamed', {
      hint: 'DROP the type, and create it with its new name.',
    });
  }
  const { enumeration } = type.type;
  const before = enumeration.name;
  await core.engine.atBoundary(async () => {
    enumeration.rename(name);
    const renamed = enumOf(enumeration, enumeration.labels);
    try {
      await saveTypes(core, [{ type: renamed, labels: enumeration.labels }], []);
    } catch (error) {
      enumeration.rename(before);
      throw error;
    }
    core.catalog.putType(renamed);
  });
  return okResult(TAG, '');
}

/** Relations with values of the type, and all that read them: these may make text of the values, or compare them with labels. */
function usersOf(core: Core, type: UserType): readonly LiveRelation[] {
  const found = new Set<LiveRelation>();
  for (const { entry } of relationsWith(core, type)) {
    for (const one of core.catalog.withDependents(entry.relation.name)) {
      if (one.owner === undefined && one.relation.sql !== '') found.add(one);
    }
  }
  return [...found].sort((a, b) => a.relation.id - b.relation.id);
}

async function commit(
  core: Core,
  enumeration: EnumType,
  labels: readonly EnumLabel[],
): Promise<void> {
  await core.engine.atBoundary(async () => {
    const type = enumOf(enumeration, labels);
    await saveTypes(core, [{ type, labels }], []);
    enumeration.replaceLabels(labels);
    core.catalog.putType(type);
  });
}

function typeOf(core: Core, { id }: EnumType): UserType {
  const type = core.catalog.types().find((one) => one.id === id);
  assert(type !== undefined, 'the type is in the catalog');
  return type;
}

function refuseLabelUse(
  core: Core,
  users: readonly LiveRelation[],
  enumeration: EnumType,
  use: LabelUse,
  what: string,
): void {
  const calling = calledWith(core, typeOf(core, enumeration));
  for (const entry of users) {
    // What a function makes of labels its body says.
    if (entry.relation.kind !== 'view' && calling.includes(entry)) {
      throw dependentError(what, entry.relation, 'it calls a function over the type');
    }
    // A view is computed whenever it is read.
    if (entry.relation.kind === 'view' || !usesLabels(core, entry, enumeration, use)) continue;
    const why =
      use === 'from-text'
        ? 'it makes values of the type from text, or lists its labels'
        : 'it makes text from values of the type';
    throw dependentError(what, entry.relation, why);
  }
}

export function dependentError(
  what: string,
  { kind, name }: { readonly kind: string; readonly name: string },
  why: string,
): StreamError {
  const noun = kind.replace('-', ' ');
  return new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot ${what} because ${noun} ${name} depends on it`,
    { detail: why, hint: `DROP ${noun.toUpperCase()} ${name} first, and create it again.` },
  );
}
