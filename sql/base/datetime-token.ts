/** Words of date/time input and the split of such input into fields, as PostgreSQL's datetime.c does it. */

export type Word =
  | { readonly kind: 'month'; readonly value: number }
  | { readonly kind: 'weekday' | 'ignore' | 'iso-time' | 'julian' | 'dst' | 'unit' }
  | { readonly kind: 'meridiem'; readonly value: 'am' | 'pm' }
  | { readonly kind: 'era'; readonly value: 'ad' | 'bc' }
  | {
      readonly kind: 'reserved';
      readonly value:
        | 'now'
        | 'today'
        | 'tomorrow'
        | 'yesterday'
        | 'epoch'
        | 'infinity'
        | '-infinity'
        | 'allballs';
    };

const monthNames = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

function buildWords(): Map<string, Word> {
  const words = new Map<string, Word>();
  monthNames.forEach((name, index) => {
    words.set(name, { kind: 'month', value: index + 1 });
    words.set(name.slice(0, 3), { kind: 'month', value: index + 1 });
  });
  words.set('sept', { kind: 'month', value: 9 });
  const weekdays =
    'sun sunday mon monday tue tues tuesday wed wednesday weds thu thur thurs thursday fri friday sat saturday';
  for (const name of weekdays.split(' ')) words.set(name, { kind: 'weekday' });
  for (const name of ['at', 'on']) words.set(name, { kind: 'ignore' });
  words.set('t', { kind: 'iso-time' });
  for (const name of ['j', 'jd', 'julian']) words.set(name, { kind: 'julian' });
  words.set('dst', { kind: 'dst' });
  for (const name of ['d', 'h', 'm', 'mm', 's', 'y']) words.set(name, { kind: 'unit' });
  words.set('am', { kind: 'meridiem', value: 'am' });
  words.set('pm', { kind: 'meridiem', value: 'pm' });
  words.set('ad', { kind: 'era', value: 'ad' });
  words.set('bc', { kind: 'era', value: 'bc' });
  for (const name of ['now', 'today', 'tomorrow', 'yesterday', 'epoch', 'allballs'] as const) {
    words.set(name, { kind: 'reserved', value: name });
  }
  for (const name of ['infinity', '+infinity']) {
    words.set(name, { kind: 'reserved', value: 'infinity' });
  }
  words.set('-infinity', { kind: 'reserved', value: '-infinity' });
  return words;
}

const words = buildWords();

/** Words count by their first ten characters, as PostgreSQL's token table (TOKMAXLEN) holds them. */
export function findWord(text: string): Word | undefined {
  return words.get(text) ?? (text.length > 10 ? undefined : words.get(text.slice(0, 10)));
}

export interface Field {
  /** number: digits, maybe one point; date: digits or words joined by - / . ; zone: signed. */
  readonly kind: 'number' | 'date' | 'time' | 'zone' | 'word';
  readonly text: string;
}

const FIELDS_MAX = 25;

/** Splits input into fields; undefined for characters that no field may hold. */
export function splitFields(input: string): readonly Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const match = pattern.exec(input);
    const text = match === null ? '' : match[0];
    at += text.length;
    return text;
  };
  while (at < input.length) {
    if (take(/[ \t\n\v\f\r]+/y) !== '') continue;
    const char = input.charAt(at);
    let field: Field | undefined;
    if (/\d/.test(char)) field = takeDigits(input, take, () => at);
    else if (char === '.') field = { kind: 'number', text: take(/\.\d*/y) };
    else if (/[a-z]/i.test(char)) field = takeWord(input, take, () => at);
    else if (char === '+' || char === '-') {
      take(/[+-][ \t\n\v\f\r]*/y);
      if (/\d/.test(input.charAt(at))) field = { kind: 'zone', text: char + take(/[\d:.-]+/y) };
      else if (/[a-z]/i.test(input.charAt(at))) {
        field = { kind: 'word', text: char + take(/[a-z]+/iy).toLowerCase() };
      } else return undefined;
    } else if (/[!-/:-@[-`{-~]/.test(char)) {
      at++;
      continue;
    } else return undefined;
    fields.push(field);
    if (fields.length > FIELDS_MAX) return undefined;
  }
  return fields;
}

type Take = (pattern: RegExp) => string;

function takeDigits(input: string, take: Take, at: () => number): Field {
  let text = take(/\d+/y);
  const delimiter = input.charAt(at());
  if (delimiter === ':') return { kind: 'time', text: text + take(/[\d:.]+/y) };
  if (delimiter === '-' || delimiter === '/' || delimiter === '.') {
    text += take(/[-/.]/y);
    if (/\d/.test(input.charAt(at()))) {
      text += take(/\d+/y);
      const number = delimiter === '.';
      if (input.charAt(at()) === delimiter) {
        return {
          kind: 'date',
          text:
            text + take(delimiter === '-' ? /[\d-]+/y : delimiter === '/' ? /[\d/]+/y : /[\d.]+/y),
        };
      }
      return { kind: number ? 'number' : 'date', text };
    }
    if (delimiter === '.' && !/[a-z]/i.test(input.charAt(at()))) return { kind: 'number', text };
    const more =
      delimiter === '-' ? /[a-z0-9-]+/iy : delimiter === '/' ? /[a-z0-9/]+/iy : /[a-z0-9.]+/iy;
    return { kind: 'date', text: (text + take(more)).toLowerCase() };
  }
  return { kind: 'number', text };
}

function takeWord(input: string, take: Take, at: () => number): Field {
  const text = take(/[a-z]+/iy).toLowerCase();
  const next = input.charAt(at());
  const joined = /[-/.]/.test(next) || (/[+\d]/.test(next) && findWord(text) === undefined);
  if (!joined) return { kind: 'word', text };
  return { kind: 'date', text: text + take(/[-+/_.:a-z0-9]+/iy).toLowerCase() };
}
