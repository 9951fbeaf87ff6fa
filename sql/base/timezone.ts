/**
 * UTC offsets of time zones: named ones from the runtime's IANA tables (Intl), abbreviations and
 * POSIX-like `UTC+3` from a small table. Offsets are seconds east of Greenwich.
 */
import {
  checkTimestamp,
  civilFromDays,
  daysFromCivil,
  isInfiniteTimestamp,
  joinTimestamp,
  splitTimestamp,
} from './datetime.ts';
import { StreamError } from './error.ts';
import { MICROS_PER_DAY, MICROS_PER_SECOND } from './interval.ts';

export type Zone =
  | { readonly kind: 'fixed'; readonly offsetSeconds: number; readonly name: string }
  | { readonly kind: 'named'; readonly name: string };

export const utc: Zone = { kind: 'fixed', offsetSeconds: 0, name: 'UTC' };

const HOUR = 3600;

/** The abbreviations of PostgreSQL's default set that people write, in hours east. */
export const zoneAbbreviations: ReadonlyMap<string, number> = new Map(
  Object.entries({
    utc: 0,
    uct: 0,
    gmt: 0,
    ut: 0,
    z: 0,
    zulu: 0,
    wet: 0,
    wetdst: 1,
    west: 1,
    bst: 1,
    ist: 2,
    cet: 1,
    cetdst: 2,
    cest: 2,
    met: 1,
    metdst: 2,
    mest: 2,
    mesz: 2,
    mez: 1,
    eet: 2,
    eetdst: 3,
    eest: 3,
    sast: 2,
    eat: 3,
    msk: 3,
    msd: 4,
    est: -5,
    edt: -4,
    cst: -6,
    cdt: -5,
    mst: -7,
    mdt: -6,
    pst: -8,
    pdt: -7,
    akst: -9,
    akdt: -8,
    hst: -10,
    ast: -4,
    adt: -3,
    nst: -3.5,
    ndt: -2.5,
    brt: -3,
    brst: -2,
    art: -3,
    clt: -4,
    clst: -3,
    jst: 9,
    kst: 9,
    hkt: 8,
    pht: 8,
    sgt: 8,
    wast: 9,
    awst: 8,
    acst: 9.5,
    acdt: 10.5,
    sadt: 10.5,
    aest: 10,
    aedt: 11,
    nzst: 12,
    nzdt: 13,
    nzt: 12,
    ict: 7,
    wib: 7,
    pkt: 5,
    npt: 5.75,
    uzt: 5,
    irt: 3.5,
    aet: 10,
  }).map(([name, hours]) => [name, hours * HOUR]),
);

const zones = new Map<string, Zone | undefined>();
const ZONES_MAX = 2048;

/** Finds a zone by IANA name, abbreviation or POSIX form, in any case; undefined when unknown. */
export function findZone(name: string): Zone | undefined {
  const key = name.toLowerCase();
  if (zones.has(key)) return zones.get(key);
  const zone = lookUpZone(name, key);
  if (zones.size >= ZONES_MAX) zones.clear();
  zones.set(key, zone);
  return zone;
}

function lookUpZone(name: string, key: string): Zone | undefined {
  const hours = zoneAbbreviations.get(key);
  if (hours !== undefined) return { kind: 'fixed', offsetSeconds: hours, name: name.toUpperCase() };
  const posix = /^(?:([a-z]{3,})|<[a-z0-9+:-]+>)?([+-]?)(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?$/i.exec(
    name,
  );
  if (posix !== null) {
    // POSIX counts west of Greenwich: UTC+3 is three hours behind.
    const seconds = Number(posix[3]) * HOUR + Number(posix[4] ?? 0) * 60 + Number(posix[5] ?? 0);
    if (seconds > 168 * HOUR) return undefined;
    const bareOffset = posix[1] === undefined && !name.startsWith('<');
    const east = (posix[2] === '-') === bareOffset ? -seconds : seconds;
    return { kind: 'fixed', offsetSeconds: east, name };
  }
  if (!/^[a-z][a-z0-9_+/-]*$/i.test(name)) return undefined;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions();
    return { kind: 'named', name: timeZone };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** @throws StreamError VALUE_INVALID_PARAMETER for an unknown zone. */
export function zoneByName(name: string): Zone {
  const zone = findZone(name);
  if (zone !== undefined) return zone;
  throw new StreamError('VALUE_INVALID_PARAMETER', `time zone "${name}" not recognized`);
}

/** One zone's offsets: for each year touched so far, when each offset begins. */
interface YearOffsets {
  /** Seconds since 1970 at which `offsets[i]` begins; the first is the year's start. */
  readonly starts: readonly number[];
  readonly offsets: readonly number[];
}

const formatters = new Map<string, Intl.DateTimeFormat>();
const offsetYears = new Map<string, Map<number, YearOffsets>>();
const OFFSET_YEARS_MAX = 4096;

function measureOffset(zoneName: string, seconds: number): number {
  let formatter = formatters.get(zoneName);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zoneName,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(zoneName, formatter);
  }
  const parts = new Map<string, string>();
  for (const part of formatter.formatToParts(seconds * 1000)) parts.set(part.type, part.value);
  const read = (name: string): number => Number(parts.get(name));
  const year = parts.get('era') === 'BC' ? 1 - read('year') : read('year');
  const days = daysFromCivil(year, read('month'), read('day'));
  return days * 86400 + read('hour') * HOUR + read('minute') * 60 + read('second') - seconds;
}

/** Intl keeps to ±8.64e15 ms and Gregorian reform dates; years beyond stand for the nearest safe one. */
function safeYear(year: number): number {
  if (year < 1600) return 1600 + ((((year % 400) + 400) % 400) % 4);
  return year > 9999 ? 8000 + (year % 400) : year;
}

function yearOffsets(zoneName: string, wantedYear: number): YearOffsets {
  const year = safeYear(wantedYear);
  let years = offsetYears.get(zoneName);
  if (years === undefined) {
    years = new Map();
    offsetYears.set(zoneName, years);
  }
  const known = years.get(year);
  if (known !== undefined) return known;
  const starts: number[] = [];
  const offsets: number[] = [];
  const end = daysFromCivil(year + 1, 1, 1) * 86400;
  // Steps of nine days: no zone has changed its offset twice within that time and back unnoticed
  // except around Ramadan (Morocco, 28 days or more).
  let at = daysFromCivil(year, 1, 1) * 86400;
  let offset = measureOffset(zoneName, at);
  starts.push(at);
  offsets.push(offset);
  while (at < end) {
    const next = Math.min(at + 9 * 86400, end);
    const nextOffset = measureOffset(zoneName, next);
    if (nextOffset !== offset) {
      let low = at;
      let high = next;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (measureOffset(zoneName, middle) === offset) low = middle;
        else high = middle;
      }
      if (high < end) {
        starts.push(high);
        offsets.push(measureOffset(zoneName, high));
      }
      offset = nextOffset;
    }
    at = next;
  }
  const found = { starts, offsets };
  if (years.size >= OFFSET_YEARS_MAX) years.clear();
  years.set(year, found);
  return found;
}

/** The zone's offset in seconds east at an instant (microseconds since 1970 UTC). */
export function offsetAt(zone: Zone, utcMicros: bigint): number {
  if (zone.kind === 'fixed') return zone.offsetSeconds;
  const { days, time } = splitTimestamp(utcMicros);
  const { year } = civilFromDays(days);
  const safe = safeYear(year);
  const shift = safe === year ? 0 : daysFromCivil(safe, 1, 1) - daysFromCivil(year, 1, 1);
  const seconds = (days + shift) * 86400 + Number(time / MICROS_PER_SECOND);
  const { starts, offsets } = yearOffsets(zone.name, year);
  let index = starts.length - 1;
  while (index > 0 && seconds < (starts[index] as number)) index--;
  return offsets[index] as number;
}

/** Local wall-clock time at an instant. */
export function toLocal(zone: Zone, utcMicros: bigint): bigint {
  if (isInfiniteTimestamp(utcMicros)) return utcMicros;
  return checkTimestamp(utcMicros + BigInt(offsetAt(zone, utcMicros)) * MICROS_PER_SECOND);
}

/**
 * The instant of a wall-clock time. Where clocks were turned forward and the time never was, the
 * offset before the change counts; where they were turned back and it was twice, the one after.
 */
export function toUtc(zone: Zone, localMicros: bigint): bigint {
  if (isInfiniteTimestamp(localMicros)) return localMicros;
  if (zone.kind === 'fixed') {
    return checkTimestamp(localMicros - BigInt(zone.offsetSeconds) * MICROS_PER_SECOND);
  }
  const before = offsetAt(zone, localMicros - MICROS_PER_DAY);
  const after = offsetAt(zone, localMicros + MICROS_PER_DAY);
  const viaBefore = localMicros - BigInt(before) * MICROS_PER_SECOND;
  const viaAfter = localMicros - BigInt(after) * MICROS_PER_SECOND;
  if (before === after) return checkTimestamp(viaBefore);
  const beforeHolds = offsetAt(zone, viaBefore) === before;
  const afterHolds = offsetAt(zone, viaAfter) === after;
  if (beforeHolds !== afterHolds) return checkTimestamp(beforeHolds ? viaBefore : viaAfter);
  return checkTimestamp(before < after ? viaBefore : viaAfter);
}

/** Midnight of the local day that `days` names, as an instant. */
export function localMidnight(zone: Zone, days: number): bigint {
  return toUtc(zone, joinTimestamp(days, 0n));
}
