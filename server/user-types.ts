/** User-defined types in the catalog: how they are kept, and how they come back after a restart. */
import { type EnumLabel, EnumType } from '../sql/base/enum-type.ts';
import { StreamError } from '../sql/base/error.ts';
import type { SqlType } from '../sql/base/type.ts';
import type { UserType } from '../sql/catalog.ts';
import { quoteIdentifier, quoteString } from '../sql/deparse-name.ts';
import type { Core } from './core.ts';
import { counterOf, TYPE_KIND } from './lifecycle.ts';

/** What an entry of the catalog holds beside the statement. */
interface Stored {
  readonly labels: readonly EnumLabel[];
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
  put: readonly { readonly type: UserType; readonly labels: readonly EnumLabel[] }[],
  remove: readonly UserType[],
): Promise<void> {
  await core.store.changeCatalog({
    put: [
      ...put.map(({ type: { id, name, sql }, labels }) => ({
        id,
        name,
        kind: TYPE_KIND,
        sql,
        detail: JSON.stringify({ labels } satisfies Stored),
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
  entry: { readonly id: number; readonly name: string; readonly detail: string },
): void {
  const { labels } = JSON.parse(entry.detail) as Stored;
  core.catalog.putType(newEnum(entry.id, entry.name, labels));
}

/** The enum behind a type. @throws StreamError SQL_WRONG_OBJECT_TYPE. */
export function requireEnum({ name, type }: UserType): SqlType & { readonly kind: 'enum' } {
  if (type.kind === 'enum') return type;
  throw new StreamError('SQL_WRONG_OBJECT_TYPE', `${name} is not an enum`);
}
