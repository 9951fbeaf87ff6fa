/**
 * The functions and casts whose value depends on the session's time zone, for a zone that is not UTC. The registry's own are UTC's;
 * each is wrapped here, so that a query is bound once and for the zone that its session has.
 */
import type { Datum } from '../base/datum.ts';
import { StreamError } from '../base/error.ts';
import { type Interval, intervalInfinity } from '../base/interval.ts';
import { fromText, textToLength } from '../base/text-input.ts';
import { zonedTextWriter } from '../base/text-output.ts';
import { offsetAt, toLocal, toUtc, type Zone } from '../base/timezone.ts';
import type { SqlType } from '../base/type.ts';
import { isClockUnit } from './datetime-trunc.ts';
import type { ScalarFunction } from './scalar-function.ts';
import { shiftInZone } from './zone-shift.ts';

type Evaluate = (...args: never[]) => ReturnType<ScalarFunction['evaluate']>;

const done = new WeakSet<ScalarFunction>();

/** Does a value of the type hold an instant, whose text and fields depend on the zone? */
export function holdsInstant(type: SqlType): boolean {
  switch (type.kind) {
    case 'timestamptz':
      return true;
    case 'range':
      return type.name === 'tstzrange';
    case 'array':
      return holdsInstant(type.element);
    case 'row':
      return type.fields.some((field) => holdsInstant(field.type));
    default:
      return false;
  }
}

/** @returns the function as the zone has it; undefined when the zone makes no difference. */
export function zonedFunction(fn: ScalarFunction, zone: Zone): ScalarFunction | undefined {
  if (done.has(fn)) return undefined;
  const evaluate = fn.name === 'cast' ? zonedCast(fn, zone) : zonedCall(fn, zone);
  if (evaluate === undefined) return undefined;
  // Generated code and DuckDB's SQL know UTC only.
  const zoned = { ...fn, evaluate, inline: undefined, duckdb: undefined };
  done.add(zoned);
  return zoned;
}

const texts: ReadonlySet<SqlType['kind']> = new Set(['text', 'varchar', 'char']);
const locals: ReadonlySet<SqlType['kind']> = new Set(['timestamp', 'date', 'time']);

function zonedCast(fn: ScalarFunction, zone: Zone): Evaluate | undefined {
  const { parameters, result, evaluate } = fn;
  const from = parameters[0];
  if (from === undefined) return undefined;
  const utcCast = evaluate as (value: bigint | number) => never;
  if (from.kind === 'timestamptz' && locals.has(result.kind)) {
    return (micros: bigint) => utcCast(toLocal(zone, micros));
  }
  if (result.kind === 'timestamptz' && (from.kind === 'timestamp' || from.kind === 'date')) {
    return (value: bigint | number) => toUtc(zone, utcCast(value));
  }
  if (texts.has(result.kind) && holdsInstant(from)) {
    const write = zonedTextWriter(from, zone);
    if (result.kind !== 'varchar' && result.kind !== 'char') return write;
    const { kind, length } = result;
    const cut = cuts(fn);
    return (value: Datum) => textToLength(write(value as never), length, kind, cut);
  }
  if (texts.has(from.kind) && holdsInstant(result)) {
    return (text: string) => fromText(text, result, undefined, zone);
  }
  return undefined;
}

/** An explicit cast cuts what is too long, an assignment refuses it: the text of this instant is longer than any limit that matters. */
function cuts({ parameters, evaluate }: ScalarFunction): boolean {
  if (parameters[0]?.kind !== 'timestamptz') return true;
  try {
    (evaluate as (micros: bigint) => string)(1n);
    return true;
  } catch (error) {
    if (error instanceof StreamError) return false;
    throw error;
  }
}

/** Pictures whose text holds the zone itself. */
const zonePicture = /TZ|OF/i;

function zonedCall(fn: ScalarFunction, zone: Zone): Evaluate | undefined {
  const { name, parameters } = fn;
  const key = `${name}(${parameters.map(({ kind }) => kind).join(',')})`;
  switch (key) {
    case 'date_trunc(text,timestamptz)': {
      const cut = fn.evaluate as (unit: string, micros: bigint) => bigint;
      return (unit: string, micros: bigint) => truncated(cut, unit, micros, zone);
    }
    case 'extract(text,timestamptz)':
    case 'date_part(text,timestamptz)':
      return zonedPart(fn, zone);
    case 'to_char(timestamptz,text)': {
      const format = fn.evaluate as (micros: bigint, picture: string) => string;
      return (micros: bigint, picture: string) => {
        if (zonePicture.test(picture)) throw noZonePicture(picture);
        return format(toLocal(zone, micros), picture);
      };
    }
    case 'date_format(timestamptz,text)':
    case 'format_timestamp(timestamptz,text)': {
      const format = fn.evaluate as (micros: bigint, pattern: string) => string;
      return (micros: bigint, pattern: string) => format(toLocal(zone, micros), pattern);
    }
    case 'parse_timestamp(text,text)': {
      const read = fn.evaluate as (text: string, pattern: string) => bigint;
      return (text: string, pattern: string) => toUtc(zone, read(text, pattern));
    }
    case 'timestampdiff(text,timestamptz,timestamptz)': {
      const between = fn.evaluate as (unit: string, from: bigint, to: bigint) => bigint;
      return (unit: string, from: bigint, to: bigint) =>
        isClockUnit(unit)
          ? between(unit, from, to)
          : between(unit, toLocal(zone, from), toLocal(zone, to));
    }
    case 'to_timestamp(text,text)': {
      const read = fn.evaluate as (text: string, picture: string) => bigint;
      return (text: string, picture: string) => {
        const micros = read(text, picture);
        return zonePicture.test(picture) ? micros : toUtc(zone, micros);
      };
    }
    case '+(timestamptz,interval)':
    case 'date_add(timestamptz,interval)':
      return (micros: bigint, interval: Interval) => shiftInZone(micros, interval, zone);
    case '+(interval,timestamptz)':
      return (interval: Interval, micros: bigint) => shiftInZone(micros, interval, zone);
    case '-(timestamptz,interval)':
    case 'date_subtract(timestamptz,interval)': {
      const minus = fn.evaluate as (micros: bigint, interval: Interval) => bigint;
      return (micros: bigint, { months, days, micros: time }: Interval) => {
        if (intervalInfinity({ months, days, micros: time }) !== 0) {
          return minus(micros, { months, days, micros: time });
        }
        return shiftInZone(micros, { months: -months, days: -days, micros: -time }, zone);
      };
    }
    case 'age(timestamptz,timestamptz)': {
      const age = fn.evaluate as (a: bigint, b: bigint) => never;
      return (a: bigint, b: bigint) => age(toLocal(zone, a), toLocal(zone, b));
    }
    default:
      return name === 'make_timestamptz' && parameters.length === 6
        ? (...parts: never[]) => toUtc(zone, fn.evaluate(...parts) as bigint)
        : undefined;
  }
}

/** Units up to the hour are cut within the offset that holds, so that an hour that comes twice stays itself. */
function truncated(
  cut: (unit: string, micros: bigint) => bigint,
  unit: string,
  micros: bigint,
  zone: Zone,
): bigint {
  const local = toLocal(zone, micros);
  const start = cut(unit, local);
  return isClockUnit(unit) ? micros - (local - start) : toUtc(zone, start);
}

function zonedPart(fn: ScalarFunction, zone: Zone): Evaluate {
  const part = fn.evaluate as (field: string, micros: bigint) => never;
  return (field: string, micros: bigint) => {
    const lower = field.toLowerCase();
    if (lower === 'epoch') return part(field, micros);
    if (!lower.startsWith('timezone')) return part(field, toLocal(zone, micros));
    const value = offsetPart(lower, offsetAt(zone, micros));
    return fn.result.kind === 'double' ? value : fromText(String(value), fn.result);
  };
}

/** Hours and minutes have the offset's sign. */
function offsetPart(field: string, seconds: number): number {
  if (field.startsWith('timezone_h')) return Math.trunc(seconds / 3600);
  if (field.startsWith('timezone_m')) return Math.trunc((seconds % 3600) / 60);
  return seconds;
}

function noZonePicture(picture: string): StreamError {
  return new StreamError(
    'SQL_NOT_SUPPORTED',
    `the zone in the picture "${picture}" is supported in time zone UTC only`,
    { hint: "SET timezone = 'UTC', or leave TZ and OF out of the picture." },
  );
}
