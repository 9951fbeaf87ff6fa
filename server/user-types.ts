/** User-defined types in the catalog: how they are kept, and how they come back after a restart. */
import type { Statement } from '../sql/ast-statement.ts';
import { assert } from '../sql/base/assert.ts';
import { type EnumLabel, EnumType } from '../sql/base/enum-type.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SqlType } from '../sql/base/type.ts';
import type { BindContext } from '../sql/bind-context.ts';
import { bindComposite, bindDomain, type TypeOrigin } from '../sql/bind-user-type.ts';
import { bindContext } from '../sql/binder.ts';
import type { UserType } from '../sql/catalog.ts';
import { quoteIdentifier, quoteString } from '../sql/deparse-name.ts';
import { parseStatement } from '../sql/parser.ts';
import type { Core } from './core.ts';
import { counterOf, TYPE_KIND } from './lifecycle/entry.ts';
import { statementContext } from './statement-context.ts';

/** What an entry of the catalog holds beside the statement. */
interface Stored {
  /** Of an enum. */
  readonly labels?: readonly EnumLabel[] | undefined;
  /** Of the session that made the type: what the names in its statement mean. */
  readonly searchPath?: string | undefined;
}

/** A type with what is kept of it. */
export interface KeptType {
  readonly type: UserType;
  /** Of an enum. */
  readonly labels?: readonly EnumLabel[] | undefined;
}

export function newEnum(id: number, name: string, labels: readonly EnumLabel[]): UserType {
  return enumOf(new EnumType(id, name, labels), labels);
}

/** The type as it is with these labels; its values and whoever knows it stay the same. */
export function enumOf(enumeration: EnumType, labels: readonly EnumLabel[]): UserType {
  const { id, name } = enumeration;
  const list = labels.map(({ label }) => quoteString(label)).join(', ');
  const sql = `CREATE TYPE ${keyText(name)} AS ENUM (${list})`;
  return { id, name, type: { kind: 'enum', enumeration }, sql };
}

/** A catalog name as SQL text. */
export const keyText = (key: string): string => key.split('.').map(quoteIdentifier).join('.');

/** Saves types and forgets others, in one transaction; call it inside `atBoundary`. */
export async function saveTypes(
  core: Core,
  put: readonly KeptType[],
  remove: readonly UserType[],
): Promise<void> {
  await core.store.changeCatalog({
    put: [
      ...put.map(({ type: { id, name, sql, searchPath }, labels }) => ({
        id,
        name,
        kind: TYPE_KIND,
        sql,
        detail: JSON.stringify({ labels, searchPath } satisfies Stored),
      })),
      counterOf(core),
    ],
    remove: remove.map(({ id }) => id),
    createTables: [],
    dropTables: [],
  });
}

/** Types come back before relations, in the order of their creation, which is one in which each knows those that it is made of. */
export function restoreType(
  core: Core,
  {
    id,
    name,
    sql,
    detail,
  }: {
    readonly id: number;
    readonly name: string;
    readonly sql: string;
    readonly detail: string;
  },
): void {
  const { labels, searchPath } = JSON.parse(detail) as Stored;
  if (labels !== undefined) {
    core.catalog.putType(newEnum(id, name, labels));
    return;
  }
  const settings = new Map(searchPath === undefined ? [] : [['search_path', searchPath]]);
  const context = bindContext(core.catalog, statementContext(core, settings), 'view');
  const statement = parseStatement(sql);
  assert(isDefinition(statement), 'the entry of a type holds its definition');
  core.catalog.putType({ ...bindType(statement, { id, name, sql }, context), searchPath });
}

type Definition = Statement & { readonly kind: 'create-type' | 'create-domain' };

const isDefinition = (statement: Statement): statement is Definition =>
  statement.kind === 'create-type' || statement.kind === 'create-domain';

/** A composite type or a domain. */
export function bindType(
  statement: Definition,
  origin: TypeOrigin,
  context: BindContext,
): UserType {
  if (statement.kind === 'create-domain') return bindDomain(statement, origin, context);
  const { definition } = statement;
  assert(definition.kind !== 'enum', 'enums have labels');
  return bindComposite(definition, origin, context);
}

/** The enum behind a type. @throws StreamError SQL_WRONG_OBJECT_TYPE. */
export function requireEnum({ name, type, domain }: UserType): SqlType & { readonly kind: 'enum' } {
  if (type.kind === 'enum' && domain === undefined) return type;
  throw new StreamError('SQL_WRONG_OBJECT_TYPE', `${name} is not an enum`);
}
