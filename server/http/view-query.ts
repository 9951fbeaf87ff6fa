import { StreamError } from '../../sql/base/error.ts';
import type { ViewRequest } from '../database.ts';

type Condition = ViewRequest['where'][number];
type Operator = Condition['operator'];

/** The query string of `GET /v1/views/NAME`, read. */
export interface ViewQuery {
  readonly request: ViewRequest;
  /** Longest time to hold the answer; 0 = answer at once. */
  readonly waitMs: number;
  readonly since: number | undefined;
  /** Rows as arrays (with `columns`) or as objects; JSON only. */
  readonly rows: 'arrays' | 'objects';
}

/** `column.gt=5`; a column alone compares with `eq`. */
const operators = new Map<string, Operator>([
  ['eq', 'eq'],
  ['ne', 'ne'],
  ['lt', 'lt'],
  ['le', 'le'],
  ['gt', 'gt'],
  ['ge', 'ge'],
  ['in', 'in'],
  ['like', 'like'],
  ['is-null', 'is-null'],
  ['is-not-null', 'is-not-null'],
]);

const CONDITIONS_MAX = 100;
const IN_VALUES_MAX = 10_000;

/**
 * Reads conditions and options. A column whose name is that of an option is reached as `limit.eq=5`.
 * @param waitMsMax  longest `wait` that is allowed.
 * @throws StreamError REQUEST_INVALID naming the parameter.
 */
export function parseViewQuery(search: URLSearchParams, waitMsMax: number): ViewQuery {
  const where: Condition[] = [];
  const options = new Map<string, string>();
  for (const [name, value] of search) {
    if (optionNames.has(name)) {
      if (options.has(name)) throw invalid(`"${name}" is given twice`);
      options.set(name, value);
    } else {
      where.push(parseCondition(name, value));
    }
  }
  if (where.length > CONDITIONS_MAX) throw invalid(`at most ${CONDITIONS_MAX} conditions`);
  return {
    request: {
      where,
      order: parseOrder(options.get('order')),
      limit: parseCount('limit', options.get('limit')),
      offset: parseCount('offset', options.get('offset')),
    },
    waitMs: parseDuration('wait', options.get('wait'), waitMsMax),
    since: parseCount('since', options.get('since')),
    rows: parseRows(options.get('rows')),
  };
}

const optionNames = new Set(['order', 'limit', 'offset', 'wait', 'since', 'rows']);

function parseCondition(name: string, value: string): Condition {
  const dot = name.lastIndexOf('.');
  const operator = dot === -1 ? undefined : operators.get(name.slice(dot + 1));
  if (operator === undefined) return { column: name, operator: 'eq', values: [value] };
  const column = name.slice(0, dot);
  switch (operator) {
    case 'is-null':
    case 'is-not-null':
      if (value !== '' && value !== 'true') throw invalid(`"${name}" takes no value`);
      return { column, operator, values: [] };
    case 'in': {
      const values = splitList(value);
      if (values.length > IN_VALUES_MAX)
        throw invalid(`"${name}" has over ${IN_VALUES_MAX} values`);
      return { column, operator, values };
    }
    default:
      return { column, operator, values: [value] };
  }
}

/** Splits at commas; `\,` is a comma and `\\` a backslash inside a value. */
export function splitList(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < text.length; at++) {
    const escaped = text[at] === '\\' && at + 1 < text.length;
    if (escaped) at++;
    if (text[at] !== ',' || escaped) {
      part += text[at];
      continue;
    }
    parts.push(part);
    part = '';
  }
  parts.push(part);
  return parts;
}

function parseOrder(text: string | undefined): ViewRequest['order'] {
  if (text === undefined || text === '') return [];
  return splitList(text).map((part) => {
    const descending = part.startsWith('-');
    const column = descending ? part.slice(1) : part;
    if (column === '') throw invalid('"order" must be a list of columns, "-" before a falling one');
    return { column, descending };
  });
}

export function parseCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw invalid(`"${name}" must be a whole number, not "${text}"`);
  }
  return value;
}

const unitMs = new Map([
  ['ms', 1],
  ['s', 1000],
  ['', 1000],
  ['m', 60_000],
]);

/** `500ms`, `10s`, `1m`; a bare number counts seconds. */
export function parseDuration(name: string, text: string | undefined, msMax: number): number {
  if (text === undefined) return 0;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|)$/.exec(text);
  const factor = unitMs.get(match?.[2] ?? '');
  if (match === null || factor === undefined) {
    throw invalid(`"${name}" must be a duration such as 10s or 500ms, not "${text}"`);
  }
  const ms = Math.round(Number(match[1]) * factor);
  if (ms > msMax) throw invalid(`"${name}" may be at most ${msMax / 1000}s`);
  return ms;
}

function parseRows(text: string | undefined): 'arrays' | 'objects' {
  if (text === undefined || text === 'arrays') return 'arrays';
  if (text === 'objects') return 'objects';
  throw invalid('"rows" must be "arrays" or "objects"');
}

function invalid(message: string): StreamError {
  return new StreamError('REQUEST_INVALID', message);
}
