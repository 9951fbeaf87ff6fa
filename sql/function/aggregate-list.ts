/** Aggregates that keep their values in order: string_agg, array_agg, jsonb_agg, jsonb_object_agg. */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { type JsonValue, jsonToText } from '../base/json.ts';
import type { SqlType } from '../base/type.ts';
import type { Accumulator } from './aggregate-function.ts';
import { datumToJson, datumToJsonKey, datumToJsonText } from './json-value.ts';

type Arguments = readonly (Datum | null)[];

/**
 * Rows in the order of their arrival. Taking a row back removes the last one that is the same value
 * by `sameKey`; where the order matters the engine feeds a group anew instead.
 */
function orderedRows(finish: (rows: readonly Arguments[]) => Datum | null): Accumulator {
  const rows: Arguments[] = [];
  return {
    add: (args, weight) => {
      for (let copy = 0; copy < weight; copy++) rows.push(args);
      for (let copy = 0; copy < -weight; copy++) {
        const index = rows.findLastIndex((row) => row.every((value, i) => same(value, args[i])));
        if (index >= 0) rows.splice(index, 1);
      }
    },
    result: () => (rows.length === 0 ? null : finish(rows)),
    save: () => rows,
    load: (state) => {
      for (const row of state) rows.push(row as Arguments);
    },
  };
}

/** Same datum by content, for every form that a datum has. */
function same(left: Datum | null | undefined, right: Datum | null | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return Number.isNaN(left) && Number.isNaN(right);
  }
  const a = Object.entries(left);
  const b = new Map<string, unknown>(Object.entries(right));
  return a.length === b.size && a.every(([key, value]) => same(value, b.get(key) as Datum));
}

export function stringAggregate(): Accumulator {
  return orderedRows((rows) => {
    let text = '';
    rows.forEach(([value, delimiter], index) => {
      if (index > 0) text += (delimiter as string | null) ?? '';
      text += value as string;
    });
    return text;
  });
}

export function arrayAggregate(): Accumulator {
  return orderedRows((rows) => rows.map((row) => row[0] ?? null));
}

export function jsonAggregate(type: SqlType, canonical: boolean): Accumulator {
  return orderedRows((rows) => {
    if (canonical) return jsonToText(rows.map((row) => datumToJson(row[0] ?? null, type)));
    return `[${rows.map((row) => datumToJsonText(row[0] ?? null, type)).join(', ')}]`;
  });
}

export function jsonObjectAggregate(keyType: SqlType, valueType: SqlType): Accumulator {
  return orderedRows((rows) => {
    const members = new Map<string, JsonValue>();
    for (const [key, value] of rows) {
      if (key === null || key === undefined) {
        throw new StreamError('VALUE_INVALID_PARAMETER', 'field name must not be null');
      }
      members.set(datumToJsonKey(key, keyType), datumToJson(value ?? null, valueType));
    }
    return jsonToText(members);
  });
}
