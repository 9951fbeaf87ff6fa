/** CREATE SEQUENCE, ALTER SEQUENCE and DROP SEQUENCE. */

import type { QualifiedName } from '../sql/ast.ts';
import type { SequenceOption } from '../sql/ast-relation.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { StreamError } from '../sql/base/error.ts';
import { keyBeside, nameToCreate } from '../sql/bind-schema.ts';
import { bindContext } from '../sql/binder.ts';
import { type Relation, relationKey, type StatementContext } from '../sql/catalog.ts';
import { nameText } from '../sql/deparse-name.ts';
import { someExpression } from '../sql/expression-map.ts';
import { bareName } from './constraints.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { okResult } from './row-result.ts';
import { sequenceOptions } from './sequence-options.ts';
import type { Owner, SequenceState } from './sequences.ts';
import { findSequence, namesOf } from './session-sequences.ts';
import { isNameTaken } from './table-expansion.ts';

type Kind<Name extends Statement['kind']> = Statement & { readonly kind: Name };

/** @throws StreamError SQL_DUPLICATE_RELATION, SQL_INVALID_OPTION. */
export async function createSequence(
  core: Core,
  statement: Kind<'create-sequence'>,
  context: StatementContext,
): Promise<StatementResult> {
  const tag = 'CREATE SEQUENCE';
  const name = nameToCreate(statement.name, bindContext(core.catalog, context, 'view'));
  if (isNameTaken(core, name)) {
    const message = `relation "${bareName({ name })}" already exists`;
    if (statement.ifNotExists) return okResult(tag, `${message}, skipping`);
    throw new StreamError('SQL_DUPLICATE_RELATION', message, { at: statement.name.span });
  }
  const options = sequenceOptions(statement.options);
  const state: SequenceState = {
    id: core.catalog.nextId(),
    name,
    options,
    owner: ownerOf(core, statement.options, undefined, context),
    last: options.start,
    isCalled: false,
  };
  await core.engine.atBoundary(() => core.sequences.put([state]));
  return okResult(tag, '');
}

/** @throws StreamError SQL_UNKNOWN_RELATION, SQL_INVALID_OPTION. */
export async function alterSequence(
  core: Core,
  statement: Kind<'alter-sequence'>,
  context: StatementContext,
): Promise<StatementResult> {
  const tag = 'ALTER SEQUENCE';
  const known = find(core, statement.name, statement.ifExists, context);
  if (known === undefined) {
    return okResult(tag, `relation "${nameText(statement.name)}" does not exist, skipping`);
  }
  const next: SequenceState = {
    ...withOptions(known, statement.options),
    name: statement.rename === undefined ? known.name : renamed(core, known, statement.rename.name),
    owner: ownerOf(core, statement.options, known.owner, context),
  };
  await core.engine.atBoundary(() => core.sequences.put([next]));
  return okResult(tag, '');
}

/** The sequence with other options. @throws StreamError SQL_INVALID_OPTION. */
export function withOptions(
  known: SequenceState,
  written: readonly SequenceOption[],
): SequenceState {
  const options = sequenceOptions(written, known.options);
  const [restart] = written.flatMap((one) => (one.kind === 'restart' ? [one] : []));
  const last = restart === undefined ? known.last : (restart.value ?? options.start);
  if (last < options.min || last > options.max) {
    throw new StreamError(
      'SQL_INVALID_OPTION',
      `RESTART value (${last}) cannot be ${last < options.min ? `less than MINVALUE (${options.min})` : `greater than MAXVALUE (${options.max})`}`,
    );
  }
  return { ...known, options, last, isCalled: restart === undefined && known.isCalled };
}

function renamed(core: Core, { name }: SequenceState, to: string): string {
  const [user] = usersOf(core, name);
  if (user !== undefined) {
    throw new StreamError(
      'SQL_DEPENDENT_OBJECTS',
      `cannot rename sequence ${name} because other objects depend on it`,
      { detail: defaultText(user, name), hint: 'Its name is in the default value.' },
    );
  }
  const key = keyBeside(core.catalog, name, to);
  if (!isNameTaken(core, key)) return key;
  throw new StreamError('SQL_DUPLICATE_RELATION', `relation "${to}" already exists`);
}

function ownerOf(
  core: Core,
  options: readonly SequenceOption[],
  known: Owner | undefined,
  context: StatementContext,
): Owner | undefined {
  const option = options.find((one) => one.kind === 'owned-by');
  if (option === undefined) return known;
  if (option.column === undefined) return undefined;
  const { parts, span } = option.column;
  const column = parts.at(-1)?.name ?? '';
  const bind = bindContext(core.catalog, context, 'view');
  const key = nameToCreate({ parts: parts.slice(0, -1), span }, bind);
  const relation = core.catalog.relation(key);
  if (relation === undefined) {
    throw new StreamError('SQL_UNKNOWN_RELATION', `relation "${key}" does not exist`, { at: span });
  }
  if (!relation.schema.some(({ name }) => name === column)) {
    throw new StreamError(
      'SQL_UNKNOWN_COLUMN',
      `column "${column}" of relation "${bareName({ name: key })}" does not exist`,
      { at: span },
    );
  }
  return { table: key, column, isIdentity: false };
}

/** @throws StreamError SQL_DEPENDENT_OBJECTS while a default uses it. */
export async function dropSequences(
  core: Core,
  statement: Kind<'drop'>,
  context: StatementContext,
): Promise<StatementResult> {
  const notes: string[] = [];
  const doomed: SequenceState[] = [];
  for (const name of statement.names) {
    const state = find(core, name, statement.ifExists, context);
    if (state === undefined) {
      notes.push(`sequence "${nameText(name)}" does not exist, skipping`);
      continue;
    }
    refuseUsed(core, state);
    doomed.push(state);
  }
  await core.engine.atBoundary(() => core.sequences.remove(doomed));
  return okResult('DROP SEQUENCE', notes.join('; '));
}

function find(
  core: Core,
  name: QualifiedName,
  ifExists: boolean,
  { settings }: StatementContext,
): SequenceState | undefined {
  try {
    return findSequence(core, nameText(name), settings);
  } catch (error) {
    if (ifExists && error instanceof StreamError && error.code === 'SQL_UNKNOWN_RELATION') {
      return undefined;
    }
    throw error;
  }
}

interface User {
  readonly relation: Relation;
  readonly column: string;
}

function refuseUsed(core: Core, { name, owner }: SequenceState): void {
  if (owner?.isIdentity === true) {
    throw new StreamError(
      'SQL_DEPENDENT_OBJECTS',
      `cannot drop sequence ${name} because column ${owner.column} of table ${owner.table} requires it`,
      { hint: `You can drop column ${owner.column} of table ${owner.table} instead.` },
    );
  }
  const users = usersOf(core, name);
  const [first] = users;
  if (first === undefined) return;
  throw new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot drop sequence ${name} because other objects depend on it`,
    {
      detail: users.map((user) => defaultText(user, name)).join('\n'),
      hint: `ALTER TABLE ${first.relation.name} ALTER ${first.column} DROP DEFAULT first.`,
    },
  );
}

const defaultText = ({ relation, column }: User, sequence: string): string =>
  `default value for column ${column} of table ${relation.name} depends on sequence ${sequence}`;

/** Columns whose default asks the sequence. */
function usersOf(core: Core, sequence: string): readonly User[] {
  return core.catalog.relations().flatMap((relation) => {
    if (relation.kind !== 'table' && relation.kind !== 'stream') return [];
    return relation.columns.flatMap(({ default: value }, i): User[] => {
      const isUser =
        value !== undefined &&
        someExpression(value, (part) => {
          if (part.kind !== 'call' || part.fn.name !== 'nextval') return false;
          const [name] = part.args;
          if (name?.kind !== 'literal' || typeof name.value !== 'string') return false;
          const names = namesOf(name.value);
          return relationKey(names.at(-2) ?? 'public', names.at(-1) ?? '') === sequence;
        });
      return isUser ? [{ relation, column: relation.schema[i]?.name ?? '' }] : [];
    });
  });
}
