/** Reading of WITH (…) options: every error names the option. */
import { StreamError } from '../sql/base/error.ts';

export type Options = ReadonlyMap<string, string>;

export function invalidOption(name: string, value: string, expected: string): StreamError {
  return new StreamError('SQL_INVALID_OPTION', `invalid value for option "${name}": "${value}"`, {
    hint: `Expected ${expected}.`,
  });
}

export function requiredOption(options: Options, name: string): string {
  const value = options.get(name);
  if (value !== undefined && value !== '') return value;
  throw new StreamError('SQL_INVALID_OPTION', `option "${name}" is required`);
}

export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
}

/** The option's number within the range, or `otherwise` when it is not given. */
export function numberOption<T>(
  options: Options,
  name: string,
  otherwise: T,
  range: NumberRange,
): number | T {
  const text = options.get(name);
  if (text === undefined) return otherwise;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const fits = value >= range.min && value <= range.max;
  if (fits && (!range.integer || Number.isInteger(value))) return value;
  const what = range.integer ? 'a whole number' : 'a number';
  throw invalidOption(name, text, `${what} from ${range.min} to ${range.max}`);
}

/** One of the choices, compared without case. */
export function choiceOption<T extends string>(
  options: Options,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = options.get(name);
  if (text === undefined) return undefined;
  const found = choices.find((choice) => choice === text.toLowerCase());
  if (found !== undefined) return found;
  throw invalidOption(name, text, `one of ${choices.join(', ')}`);
}

const TIME = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?)?(Z|[+-]\d\d:\d\d)?$/;

/** Milliseconds since 1970-01-01 UTC, from such a number or ISO-8601 text (UTC when it names no zone). */
export function timeOption(options: Options, name: string, otherwise: number): number {
  const text = options.get(name)?.trim();
  if (text === undefined) return otherwise;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  if (TIME.test(text)) {
    const iso = text.replace(' ', 'T');
    const zoned = iso.length === 10 || /(Z|[+-]\d\d:\d\d)$/.test(iso.slice(10)) ? iso : `${iso}Z`;
    const value = Date.parse(zoned);
    if (!Number.isNaN(value)) return value;
  }
  throw invalidOption(name, text, 'a time such as 2024-01-31T12:00:00Z');
}
