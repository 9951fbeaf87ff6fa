/** CREATE TYPE, CREATE DOMAIN, DROP TYPE and DROP DOMAIN. */

import type { QualifiedName } from '../sql/ast.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { newLabels } from '../sql/base/enum-type.ts';
import { StreamError } from '../sql/base/error.ts';
import type { BindContext } from '../sql/bind-context.ts';
import { nameToCreate } from '../sql/bind-schema.ts';
import { findUserType } from '../sql/bind-type.ts';
import { bindContext } from '../sql/binder.ts';
import type { Relation, StatementContext, UserType } from '../sql/catalog.ts';
import { withSpan } from '../sql/coerce.ts';
import { deparse } from '../sql/deparse.ts';
import { nameText, quoteIdentifier } from '../sql/deparse-name.ts';
import { parseStatement } from '../sql/parser.ts';
import { alterRelation } from './alter.ts';
import type { AlterStatement } from './alter-text.ts';
import type { Core } from './core.ts';
import type { StatementResult } from './database.ts';
import { dropRelations } from './lifecycle/drop.ts';
import type { LiveRelation } from './live-catalog.ts';
import { okResult } from './row-result.ts';
import {
  namesElsewhere,
  refuseRoutines,
  relationsWith,
  type TypeUser,
  typesWith,
} from './type-usage.ts';
import { bindType, type KeptType, keyText, newEnum, saveTypes } from './user-types.ts';

type Kind<Name extends Statement['kind']> = Statement & { readonly kind: Name };

/** @throws StreamError SQL_DUPLICATE_OBJECT, SQL_NOT_SUPPORTED, and as its names and expressions are bound. */
export async function createType(
  core: Core,
  statement: Kind<'create-type' | 'create-domain'>,
  context: StatementContext,
): Promise<StatementResult> {
  const { name: written, span } = statement;
  const isDomain = statement.kind === 'create-domain';
  const tag = isDomain ? 'CREATE DOMAIN' : 'CREATE TYPE';
  const bind = bindContext(core.catalog, context, 'view');
  const name = nameToCreate(written, bind);
  if (core.catalog.type(name) !== undefined || core.catalog.relation(name) !== undefined) {
    const message = `type "${written.parts.at(-1)?.name}" already exists`;
    if (!isDomain && statement.ifNotExists) return okResult(tag, `${message}, skipping`);
    throw new StreamError('SQL_DUPLICATE_OBJECT', message, { at: written.span });
  }
  if (!isDomain && statement.orReplace) {
    throw new StreamError('SQL_NOT_SUPPORTED', 'a type cannot be replaced', {
      at: span,
      hint: 'ALTER TYPE … ADD VALUE, or DROP TYPE first.',
    });
  }
  const kept = withSpan(span, () => newType(core, statement, name, bind));
  await core.engine.atBoundary(async () => {
    await saveTypes(core, [kept], []);
    core.catalog.putType(kept.type);
  });
  return okResult(tag, '');
}

function newType(
  core: Core,
  statement: Kind<'create-type' | 'create-domain'>,
  name: string,
  context: BindContext,
): KeptType {
  if (statement.kind === 'create-type' && statement.definition.kind === 'enum') {
    const labels = newLabels(statement.definition.labels);
    return { type: newEnum(newTypeId(core), name, labels), labels };
  }
  const parts = name.split('.').map((part) => ({ name: part, quoted: true, span: statement.span }));
  const whole = { ...statement, name: { parts, span: statement.name.span } };
  const plain = whole.kind === 'create-type' ? { ...whole, ifNotExists: false } : whole;
  const origin = { id: newTypeId(core), name, sql: deparse(plain) };
  const searchPath = context.statement.settings.get('search_path');
  return { type: { ...bindType(plain, origin, context), searchPath } };
}

/** The number after it is that of the type's arrays. */
function newTypeId(core: Core): number {
  const id = core.catalog.nextId();
  core.catalog.nextId();
  return id;
}

// ----------------------------------------------------------------------- drop

/** What goes with types that are dropped. */
interface Fall {
  readonly types: UserType[];
  /** Views and sinks, and whatever reads them; readers first. */
  readonly relations: LiveRelation[];
  /** Columns of tables. */
  readonly columns: { readonly table: Relation; readonly column: string }[];
  /** Tables and streams with the type in a rule, a default or an index that would stay: nothing can fall. */
  readonly rules: Relation[];
}

/** Refused while something uses the type, unless CASCADE. @throws StreamError SQL_UNKNOWN_TYPE, SQL_DEPENDENT_OBJECTS. */
export async function dropTypes(
  core: Core,
  statement: Kind<'drop'>,
  context: StatementContext,
): Promise<StatementResult> {
  const tag = `DROP ${statement.object.toUpperCase()}`;
  const notes: string[] = [];
  const named: UserType[] = [];
  for (const written of statement.names) {
    const type = findType(core, written, context);
    if (type !== undefined) {
      if (statement.object === 'domain' && type.domain === undefined) {
        throw new StreamError('SQL_WRONG_OBJECT_TYPE', `"${type.name}" is not a domain`, {
          at: written.span,
        });
      }
      if (!named.includes(type)) named.push(type);
      continue;
    }
    const message = `type "${nameText(written)}" does not exist`;
    if (!statement.ifExists) {
      throw new StreamError('SQL_UNKNOWN_TYPE', message, { at: written.span });
    }
    notes.push(`${message}, skipping`);
  }
  for (const type of named) refuseRoutines(core, type, `drop type ${type.name}`);
  const fall: Fall = { types: [...named], relations: [], columns: [], rules: [] };
  const details = named.flatMap((type) => addUsers(core, type, fall));
  if (details.length > 0 && !statement.cascade) throw dependents(named, details);
  await carryOut(core, fall, context);
  if (details.length > 0) {
    const noun = details.length === 1 ? 'object' : 'objects';
    notes.push(`drop cascades to ${details.length} other ${noun}`);
  }
  return okResult(tag, notes.join('; '));
}

export function findType(
  core: Core,
  written: QualifiedName,
  context: StatementContext,
): UserType | undefined {
  const name = written.parts.map((part) => part.name).join('.');
  return findUserType(name, { catalog: core.catalog, statement: context });
}

/** @returns one line for each object that depends on the type. */
function addUsers(core: Core, type: UserType, fall: Fall): readonly string[] {
  const details: string[] = [];
  for (const other of typesWith(core.catalog, type)) {
    if (fall.types.includes(other)) continue;
    fall.types.push(other);
    details.push(`type ${other.name} depends on type ${type.name}`);
    details.push(...addUsers(core, other, fall));
  }
  for (const user of relationsWith(core, type)) {
    const { entry, columns } = user;
    const { relation } = entry;
    if (fall.relations.includes(entry)) continue;
    details.push(...usesOf(user, type));
    if (isSource(relation)) {
      if (namesElsewhere(core, user, type)) fall.rules.push(relation);
      const isNew = (column: string): boolean =>
        !fall.columns.some((one) => one.table.id === relation.id && one.column === column);
      for (const column of columns.filter(isNew)) fall.columns.push({ table: relation, column });
      continue;
    }
    for (const one of core.catalog.withDependents(relation.name)) {
      if (!fall.relations.includes(one)) fall.relations.push(one);
    }
  }
  return details;
}

function usesOf({ entry, columns }: TypeUser, { name }: UserType): readonly string[] {
  const { relation } = entry;
  const noun = relation.kind.replace('-', ' ');
  if (columns.length === 0) return [`${noun} ${relation.name} depends on type ${name}`];
  return columns.map(
    (column) => `column ${column} of ${noun} ${relation.name} depends on type ${name}`,
  );
}

const isSource = ({ kind }: Relation): boolean => kind === 'table' || kind === 'stream';

function dependents(types: readonly UserType[], details: readonly string[]): StreamError {
  return new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot drop type ${types[0]?.name} because other objects depend on it`,
    { detail: details.join('\n'), hint: 'Use DROP ... CASCADE to drop the dependent objects too.' },
  );
}

/** What would go with the types of a schema; `relations` gets those that are not in it yet. */
export function fallOf(core: Core, types: readonly UserType[], relations: LiveRelation[]): Fall {
  const fall: Fall = { types: [...types], relations, columns: [], rules: [] };
  for (const type of types) addUsers(core, type, fall);
  return fall;
}

/** Tables stay, without their columns of the type; what cannot lose a column is refused before anything is dropped. */
export async function carryOut(core: Core, fall: Fall, context: StatementContext): Promise<void> {
  const [ruled] = fall.rules;
  if (ruled !== undefined) {
    throw new StreamError(
      'SQL_DEPENDENT_OBJECTS',
      `cannot drop type ${fall.types[0]?.name} because ${ruled.kind} ${ruled.name} depends on it`,
      {
        detail: 'A constraint, a default, a generated column or an index of it names the type.',
        hint: `ALTER ${ruled.kind.toUpperCase()} ${ruled.name} … first.`,
      },
    );
  }
  for (const { table, column } of fall.columns) refuseFixed(core, table, column, fall);
  if (fall.relations.length > 0) await dropRelations(core, fall.relations);
  for (const { table, column } of fall.columns) {
    const sql = `ALTER TABLE ${keyText(table.name)} DROP COLUMN ${quoteIdentifier(column)}`;
    await alterRelation(core, parseStatement(sql) as AlterStatement, context);
  }
  await core.engine.atBoundary(async () => {
    await saveTypes(core, [], fall.types);
    for (const { name } of fall.types) core.catalog.removeType(name);
  });
}

function refuseFixed(core: Core, table: Relation, column: string, fall: Fall): void {
  const reader = core.catalog
    .withDependents(table.name)
    .find(
      (one) =>
        one.relation.id !== table.id && one.owner !== table.id && !fall.relations.includes(one),
    );
  const isLocal = table.kind === 'table' && table.input === undefined;
  if (isLocal && reader === undefined) return;
  throw new StreamError(
    'SQL_DEPENDENT_OBJECTS',
    `cannot drop column ${column} of ${table.kind} ${table.name}`,
    {
      detail: isLocal
        ? `${reader?.relation.kind.replace('-', ' ')} ${reader?.relation.name} reads the table.`
        : 'It is a member of records that are in a topic.',
      hint: `DROP ${(isLocal ? (reader?.relation ?? table) : table).kind.replace('-', ' ').toUpperCase()} … first.`,
    },
  );
}
