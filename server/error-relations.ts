/** The error relations that belong to streams, views and sinks: what the catalog and the engine know of them. */
import {
  RECORD_ERROR_SCHEMA,
  storedRecordErrors,
  storedRowErrors,
} from '../engine/runtime/error-schema.ts';
import type { FailureDefinition } from '../engine/runtime/plan-task.ts';
import type { StoredRelation } from '../engine/store/store.ts';
import { StreamError } from '../sql/base/error.ts';
import type { Relation } from '../sql/catalog.ts';
import type { Core } from './core.ts';
import { ownedTable } from './owned-table.ts';

const ERRORS_SUFFIX = '_errors';
/** Of rows that the query of CREATE STREAM … AS fails for; the stream's own records have the plain suffix. */
const QUERY_ERRORS_SUFFIX = '_query_errors';

/** `records`: of a stream's topic; `rows`: of a plan; `query`: of the plan that feeds a stream. */
export type ErrorKind = 'records' | 'rows' | 'query';

/** @throws StreamError SQL_DUPLICATE_RELATION when the name is taken. */
export function errorsIdFor(core: Core, owner: string, kind: ErrorKind): number {
  const name = errorsNameOf(owner, kind);
  if (core.catalog.relation(name) !== undefined) {
    throw new StreamError('SQL_DUPLICATE_RELATION', `relation "${name}" already exists`, {
      hint: `"${owner}" needs this name for the rows that fail. Choose another name.`,
    });
  }
  return core.catalog.nextId();
}

/** Puts the error relation into catalog and engine; its stored table is there already. */
export function registerErrors(
  core: Core,
  owner: Relation,
  kind: ErrorKind,
  id: number,
  version: number,
): void {
  const stored = kind === 'records' ? storedRecordErrors(id) : storedRowErrors(id);
  const relation = ownedTable(errorsNameOf(owner.name, kind), stored);
  core.catalog.put({ relation, detail: {}, owner: owner.id });
  const { name } = relation;
  const key = stored.storage.kind === 'keyed' ? stored.storage.key : [];
  core.engine.addErrorTable({ id, name, stored, key }, version);
}

/** The error relation of a view or sink goes by the owner's new name. */
export function renameErrors(core: Core, owner: Relation, id: number): void {
  const stored = storedRowErrors(id);
  const relation = ownedTable(errorsNameOf(owner.name, 'rows'), stored);
  core.catalog.put({ relation, detail: {}, owner: owner.id });
}

/** What a relation's error relation counts now; undefined for a relation that has none. */
export function errorCounts(
  { catalog, engine }: Pick<Core, 'catalog' | 'engine'>,
  name: string,
): ReturnType<Core['engine']['errorCounts']> {
  const { errorsId } = catalog.find(name)?.detail ?? {};
  return errorsId === undefined ? undefined : engine.errorCounts(errorsId);
}

/** How the rows of an error relation are stored. */
export function storedErrors(relation: Relation): StoredRelation {
  return relation.schema === RECORD_ERROR_SCHEMA
    ? storedRecordErrors(relation.id)
    : storedRowErrors(relation.id);
}

/** Rows that an expression fails for go to the error relation; the log tells of them, at most one line a second. */
export function failuresOf(
  core: Core,
  name: string,
  tableId: number | undefined,
): FailureDefinition {
  let loggedMicros = 0n;
  return {
    tableId,
    report: ({ error, batch, row, weight }) => {
      const now = core.nowMicros();
      if (weight < 0 || now - loggedMicros < 1_000_000n) return;
      loggedMicros = now;
      const values = batch.row(row).map((value) => String(value).slice(0, LOGGED_CHARACTERS_MAX));
      core.log.warn(
        { view: name, sqlstate: error.sqlstate, row: values },
        `a row failed in ${name}: ${error.message}`,
      );
    },
  };
}

/** Characters of a failed row's value in the log. */
const LOGGED_CHARACTERS_MAX = 200;

/** The name of an error relation, after what it belongs to. */
export function errorsNameOf(owner: string, kind: ErrorKind): string {
  return owner + (kind === 'query' ? QUERY_ERRORS_SUFFIX : ERRORS_SUFFIX);
}
