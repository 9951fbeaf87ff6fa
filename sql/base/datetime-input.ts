/** Input functions of date, time, timestamp and timestamp with time zone. */
import {
  daysFromCivil,
  daysInMonth,
  isDateInRange,
  isTimestampInRange,
  joinTimestamp,
  roundToPrecision,
  splitTimestamp,
} from './datetime.ts';
import { type Decoded, DecodeFailure, Decoder, requireNow } from './datetime-decode.ts';
import { splitFields } from './datetime-token.ts';
import { StreamError } from './error.ts';
import { toLocal, toUtc, utc, type Zone } from './timezone.ts';
import { DATE_INFINITY, TIMESTAMP_INFINITY, TIMESTAMP_NEGATIVE_INFINITY } from './type.ts';

const isoPattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** The common form without the general decoder; undefined for other forms and values out of range. */
function decodeIso(text: string): Decoded | undefined {
  const match = isoPattern.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    return undefined;
  }
  const [hour, minute, second] = [
    Number(match[4] ?? 0),
    Number(match[5] ?? 0),
    Number(match[6] ?? 0),
  ];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const zone = isoZone(match[8]);
  if (zone === undefined && match[8] !== undefined) return undefined;
  const fraction = Number((match[7] ?? '').padEnd(6, '0'));
  const micros = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction;
  return { special: undefined, days: daysFromCivil(year, month, day), time: BigInt(micros), zone };
}

function isoZone(text: string | undefined): Zone | undefined {
  if (text === undefined) return undefined;
  if (text === 'Z') return utc;
  const hours = Number(text.slice(1, 3));
  const minutes = text.length > 3 ? Number(text.slice(-2)) : 0;
  if (hours > 15 || minutes > 59) return undefined;
  const seconds = hours * 3600 + minutes * 60;
  return { kind: 'fixed', offsetSeconds: text.startsWith('-') ? -seconds : seconds, name: text };
}

function decode(
  text: string,
  typeName: string,
  nowMicros: bigint | undefined,
  timeOnly: boolean,
): Decoded {
  const iso = timeOnly ? undefined : decodeIso(text);
  if (iso !== undefined) return iso;
  try {
    const fields = splitFields(text);
    if (fields === undefined || fields.length === 0) throw new DecodeFailure('format');
    return new Decoder(nowMicros, timeOnly).decode(fields);
  } catch (error) {
    if (error instanceof DecodeFailure) throw failureToError(error, text, typeName);
    throw error;
  }
}

function failureToError(failure: DecodeFailure, text: string, typeName: string): StreamError {
  switch (failure.failure) {
    case 'format':
      return new StreamError(
        'VALUE_INVALID_DATETIME',
        `invalid input syntax for type ${typeName}: "${text}"`,
      );
    case 'overflow':
      return new StreamError(
        'VALUE_DATETIME_OVERFLOW',
        `date/time field value out of range: "${text}"`,
      );
    case 'zone':
      return new StreamError(
        'VALUE_INVALID_PARAMETER',
        `time zone "${failure.subject ?? text}" not recognized`,
      );
    case 'zone-offset':
      return new StreamError(
        'VALUE_INVALID_ZONE_OFFSET',
        `time zone displacement out of range: "${text}"`,
      );
  }
}

/** Days since 1970. `nowMicros` resolves now/today/…; without it they are refused. */
export function dateFromText(text: string, nowMicros?: bigint): number {
  const decoded = decode(text, 'date', nowMicros, false);
  if (decoded.special === 'infinity') return DATE_INFINITY;
  if (decoded.special === '-infinity') return -DATE_INFINITY;
  if (decoded.special === 'epoch') return 0;
  if (decoded.special === 'now') return splitTimestamp(requireNow(nowMicros)).days;
  if (decoded.days === undefined) {
    throw failureToError(new DecodeFailure('format'), text, 'date');
  }
  if (isDateInRange(decoded.days)) return decoded.days;
  throw new StreamError('VALUE_DATETIME_OVERFLOW', `date out of range: "${text}"`);
}

/** Microseconds since midnight. */
export function timeFromText(text: string, precision?: number, nowMicros?: bigint): bigint {
  const decoded = decode(text, 'time', nowMicros, true);
  if (decoded.zone?.kind === 'named' && decoded.days === undefined) {
    // Without a date the zone's offset is not known.
    throw failureToError(new DecodeFailure('format'), text, 'time');
  }
  const time =
    decoded.special === 'now' ? splitTimestamp(requireNow(nowMicros)).time : decoded.time;
  return roundToPrecision(time, precision);
}

function timestampFrom(
  text: string,
  typeName: string,
  session: Zone | undefined,
  precision: number | undefined,
  nowMicros: bigint | undefined,
): bigint {
  const today = nowMicros === undefined ? undefined : toLocal(session ?? utc, nowMicros);
  const decoded = decode(text, typeName, today, false);
  switch (decoded.special) {
    case 'infinity':
      return TIMESTAMP_INFINITY;
    case '-infinity':
      return TIMESTAMP_NEGATIVE_INFINITY;
    case 'epoch':
      return 0n;
    case 'now':
      return roundToPrecision(requireNow(nowMicros), precision);
    case undefined:
      break;
  }
  if (decoded.days === undefined) {
    throw failureToError(new DecodeFailure('format'), text, typeName);
  }
  const local = joinTimestamp(decoded.days, decoded.time);
  const zone = session === undefined ? utc : (decoded.zone ?? session);
  const micros = isTimestampInRange(local) ? toUtc(zone, local) : local;
  if (!isTimestampInRange(micros)) {
    throw new StreamError('VALUE_DATETIME_OVERFLOW', `timestamp out of range: "${text}"`);
  }
  return roundToPrecision(micros, precision);
}

/** Microseconds since 1970-01-01 of a wall-clock time; a zone in the text is ignored. */
export function timestampFromText(text: string, precision?: number, nowMicros?: bigint): bigint {
  return timestampFrom(text, 'timestamp', undefined, precision, nowMicros);
}

/** Microseconds since 1970-01-01 UTC; text that names no zone is in the session's. */
export function timestamptzFromText(
  text: string,
  precision?: number,
  nowMicros?: bigint,
  session: Zone = utc,
): bigint {
  return timestampFrom(text, 'timestamp with time zone', session, precision, nowMicros);
}
