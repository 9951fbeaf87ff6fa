/**
 * The common spelling of a moment, read from bytes without a JavaScript string or a Date:
 * `2024-01-01T00:00:00`, a space for the T, up to six digits of a second's fraction, `Z` or nothing.
 */
import { daysFromCivil, daysInMonth } from '../../sql/base/datetime.ts';

const DAY_MICROS = 86_400_000_000;

const fractionUnit = [0, 100_000, 10_000, 1_000, 100, 10, 1];

/** Microseconds since 1970-01-01 and the position behind the text; reused between calls. */
export class TimestampReader {
  /** After the last digit or the Z of what was read. */
  end = 0;
  #year = 0;
  #month = 0;
  #day = 0;
  /** Microseconds at the start of the date last seen: records of one batch share it mostly. */
  #dateMicros = Number.NaN;

  /**
   * @param start  first digit of the year; at least 20 readable bytes follow.
   * @returns NaN for anything but the common spelling, also for dates that do not exist; the general
   *   reader decides then.
   */
  read(bytes: Uint8Array, view: DataView, start: number): number {
    const year = view.getInt32(start, true);
    const month = view.getInt32(start + 4, true);
    const dayHour = view.getInt32(start + 8, true);
    if (year !== this.#year || month !== this.#month || (dayHour & 0xffff) !== this.#day) {
      this.#year = year;
      this.#month = month;
      this.#day = dayHour & 0xffff;
      this.#dateMicros = dateMicros(bytes, start);
    }
    const separator = (dayHour >> 16) & 0xff;
    if (separator !== 84 && separator !== 32) return Number.NaN;
    const time = view.getInt32(start + 12, true) ^ 0x30303a30;
    const hourTens = ((dayHour >> 24) & 0xff) ^ 0x30;
    const second = (view.getInt32(start + 15, true) >>> 8) ^ 0x30303a;
    // Bytes of `time`: hour ones, 0 for the colon, minute tens, minute ones; of `second`: 0, tens, ones.
    if (((((time + 0x76767f76) | time) & 0x80808080) | (time & 0xff00)) !== 0) return Number.NaN;
    if (((((second + 0x76767f) | second) & 0x808080) | (second & 0xff)) !== 0) return Number.NaN;
    const hour = hourTens * 10 + (time & 0xff);
    const minute = ((time >> 16) & 0xff) * 10 + (time >>> 24);
    const seconds = ((second >> 8) & 0xff) * 10 + ((second >> 16) & 0xff);
    if (hour > 23 || minute > 59 || seconds > 59) return Number.NaN;
    let at = start + 19;
    let fraction = 0;
    if (bytes[at] === 46) {
      at++;
      let digits = 0;
      let digit = (bytes[at] as number) - 48;
      while (digit >>> 0 <= 9 && digits < 6) {
        fraction = fraction * 10 + digit;
        digits++;
        digit = (bytes[++at] as number) - 48;
      }
      if (digits === 0 || digit >>> 0 <= 9) return Number.NaN;
      fraction *= fractionUnit[digits] as number;
    }
    if (bytes[at] === 90) at++;
    this.end = at;
    return this.#dateMicros + (hour * 3600 + minute * 60 + seconds) * 1_000_000 + fraction;
  }
}

function digitsAt(bytes: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const digit = (bytes[at] as number) - 48;
    if (digit >>> 0 > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Microseconds at midnight of YYYY-MM-DD, or NaN. */
function dateMicros(bytes: Uint8Array, start: number): number {
  const year = digitsAt(bytes, start, 4);
  const month = digitsAt(bytes, start + 5, 2);
  const day = digitsAt(bytes, start + 8, 2);
  if (bytes[start + 4] !== 45 || bytes[start + 7] !== 45) return Number.NaN;
  if (year < 1 || month < 1 || month > 12 || day < 1) return Number.NaN;
  if (day > daysInMonth(year, month)) return Number.NaN;
  const micros = daysFromCivil(year, month, day) * DAY_MICROS;
  // Microseconds of other centuries are beyond what a double counts one by one.
  return Math.abs(micros) < Number.MAX_SAFE_INTEGER - DAY_MICROS ? micros : Number.NaN;
}
