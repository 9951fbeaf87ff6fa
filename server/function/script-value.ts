/** Datums on their way into a sandbox and out of it; the prelude has the other half. */
import { assertNever } from '../../sql/base/assert.ts';
import { bytesFromHex, bytesToHex } from '../../sql/base/bytea.ts';
import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { fromText } from '../../sql/base/text-input.ts';
import { toText } from '../../sql/base/text-output.ts';
import type { SqlType } from '../../sql/base/type.ts';
import type { Argument, Form } from './sandbox.ts';

const INTEGER_MAX = 2_147_483_647;
const SMALLINT_MAX = 32_767;

/** @param out  whether values of the type come out of the sandbox. */
export function formOf(type: SqlType, out: boolean): Form {
  switch (type.kind) {
    case 'boolean':
      return 'b';
    case 'smallint':
    case 'integer':
      return out ? 'i' : 'n';
    case 'real':
    case 'double':
      return 'n';
    case 'bigint':
      return 'l';
    case 'numeric':
      return 'd';
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return 't';
    case 'json':
    case 'jsonb':
      return 'j';
    case 'bytea':
      return 'x';
    case 'array':
      return ['[', formOf(type.element, out)];
    case 'row':
      return ['{', type.fields.map(({ name, type: own }) => [name, formOf(own, out)] as const)];
    case 'text':
    case 'varchar':
    case 'char':
    case 'uuid':
    case 'interval':
    case 'range':
    case 'enum':
    case 'unknown':
      return 's';
    default:
      return assertNever(type);
  }
}

/** Writes values of a type as arguments. */
export function argumentWriter(type: SqlType): (value: Datum | null) => Argument {
  const write = writer(type);
  if (type.kind === 'array' || type.kind === 'row') {
    return (value) => (value === null ? null : JSON.stringify(write(value)));
  }
  if (type.kind === 'real' || type.kind === 'double') return (value) => value as number | null;
  return (value) => (value === null ? null : (write(value) as Argument));
}

type Written = Argument | readonly Written[];

/** As JSON can hold it: NaN and its like are texts, as are bigints. */
function writer(type: SqlType): (value: Datum) => Written {
  switch (type.kind) {
    case 'boolean':
    case 'smallint':
    case 'integer':
      return (value) => value as number | boolean;
    case 'real':
    case 'double':
      return (value) =>
        Number.isFinite(value) && !Object.is(value, -0) ? (value as number) : doubleText(value);
    case 'bigint':
      return String;
    case 'bytea':
      return (value) => bytesToHex(value as Uint8Array);
    case 'timestamp':
    case 'timestamptz':
      return (value) => isoText(toText(value, type));
    case 'array': {
      const { element } = type;
      const write = writer(element);
      // An array of several dimensions holds arrays.
      const item = (one: Datum | null): Written =>
        one === null
          ? null
          : Array.isArray(one) && element.kind !== 'row'
            ? one.map(item)
            : write(one);
      return (value) => (value as readonly (Datum | null)[]).map(item);
    }
    case 'row': {
      const writers = type.fields.map((field) => writer(field.type));
      return (value) =>
        (value as readonly (Datum | null)[]).map((one, i) =>
          one === null ? null : (writers[i]?.(one) ?? null),
        );
    }
    default:
      return (value) => (typeof value === 'string' ? value : toText(value, type));
  }
}

const doubleText = (value: Datum): string => (Object.is(value, -0) ? '-0' : String(value));

/** PostgreSQL's text of a time as ISO 8601 has it, which `new Date` reads. */
function isoText(text: string): string {
  return text.replace(' ', 'T').replace(/\+00$/, 'Z');
}

/**
 * Reads what a function gave.
 * @throws StreamError as the type's input does, and VALUE_OUT_OF_RANGE.
 */
export function resultReader(type: SqlType): (value: number | string) => Datum {
  if (type.kind !== 'array' && type.kind !== 'row') return reader(type);
  const read = reader(type);
  return (value) => read(JSON.parse(value as string));
}

function reader(type: SqlType): (value: unknown) => Datum {
  switch (type.kind) {
    case 'boolean':
      return (value) => value === 1;
    case 'smallint':
      return (value) => inRange(value as number, SMALLINT_MAX, 'smallint');
    case 'integer':
      return (value) => inRange(value as number, INTEGER_MAX, 'integer');
    case 'real':
      return (value) => Math.fround(Number(value));
    case 'double':
      return Number;
    case 'text':
    case 'varchar':
    case 'char':
    case 'json':
      return (value) => value as string;
    case 'bytea':
      return (value) => bytesFromHex(value as string);
    case 'array': {
      const read = reader(type.element);
      return (value) =>
        (value as readonly unknown[]).map((one) => (one === null ? null : read(one)));
    }
    case 'row': {
      const readers = type.fields.map((field) => reader(field.type));
      return (value) =>
        (value as readonly unknown[]).map((one, i) =>
          one === null ? null : (readers[i]?.(one) ?? null),
        );
    }
    default:
      return (value) => fromText(value as string, type);
  }
}

function inRange(value: number, max: number, name: string): number {
  if (value > max || value < -max - 1) {
    throw new StreamError('VALUE_OUT_OF_RANGE', `${name} out of range`);
  }
  return value;
}
