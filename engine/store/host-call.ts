/**
 * Functions that DuckDB does not have, computed here while it runs a query. A rendered query names each by a
 * number; DuckDB knows one function per signature, whose first argument is that number. So the functions that it has are
 * as few as there are signatures, and the calls of a query end with it. No DuckDB import: the SQL renderer makes these.
 */
import type { Datum } from '../../sql/base/datum.ts';
import type { SqlType } from '../../sql/base/type.ts';
import { computedForm, duckdbType } from './stored-form.ts';

export interface HostCall {
  /** Unique over all queries of the process. */
  readonly id: number;
  readonly parameters: readonly SqlType[];
  readonly result: SqlType;
  /** Strict: never called with NULL, gives NULL for any. */
  readonly strict: boolean;
  /** True: called for every row, also with constant arguments. */
  readonly volatile: boolean;
  /** @throws StreamError, which the query then fails with. */
  readonly evaluate: (args: readonly (Datum | null)[]) => Datum | null;
}

let lastId = 0;

export function nextCallId(): number {
  lastId = (lastId + 1) % 0x7fff_ffff;
  return lastId;
}

/** What distinguishes DuckDB's function for a call: the forms of its values, and whether it may be folded. */
export function callSignature(call: HostCall): string {
  const types = [...call.parameters, call.result].map((type) => duckdbType(computedForm(type)));
  return `${call.volatile ? 'volatile ' : ''}${types.join(', ')}`;
}

const names = new Map<string, string>();

/** The name of DuckDB's function for calls of this signature. */
export function callName(call: HostCall): string {
  const signature = callSignature(call);
  let name = names.get(signature);
  if (name === undefined) {
    name = `host_${names.size}`;
    names.set(signature, name);
  }
  return name;
}
