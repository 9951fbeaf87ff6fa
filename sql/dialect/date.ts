import type { Expression } from '../ast.ts';
import { StreamError } from '../base/error.ts';
import { callOf } from '../parser-call.ts';
import { binary, castTo, type DialectRow, number, type Read, string } from './entry.ts';
import { template } from './template.ts';

/** A field of a date or time as bigint; parts of a second are cut off. */
function field(name: string, shift = 0): Read {
  return (args, { span }) => {
    const part = callOf('extract', [string(name, span), ...args], span);
    const whole = castTo(callOf('floor', [part], span), 'int8', span);
    return shift === 0
      ? whole
      : binary('+', whole, castTo(number(shift, span), 'int8', span), span);
  };
}

const units: ReadonlyMap<string, string> = new Map([
  ...['millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', 'year'].map(
    (unit): [string, string] => [unit, `1 ${unit}`],
  ),
  ['quarter', '3 months'],
]);

/** The bare word in front of the arguments, also in the plural and SQL_TSI_DAY; or a text. */
function unitOf(node: Expression): string {
  const [part, ...others] = node.kind === 'column' ? node.name.parts : [];
  const word = node.kind === 'string' ? node.value : others.length === 0 ? part?.name : undefined;
  const unit =
    word
      ?.toLowerCase()
      .replace(/^sql_tsi_/, '')
      .replace(/s$/, '') ?? '';
  if (units.has(unit)) return unit;
  throw new StreamError('VALUE_INVALID_PARAMETER', `unit "${word ?? ''}" is not known`, {
    at: node.span,
    hint: 'The units are MILLISECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER and YEAR.',
  });
}

/** `time + count * INTERVAL '1 unit'`. @param type  that the sum is cast to. */
function moved(op: '+' | '-', type?: string): Read {
  return (args, { span }) => {
    const [unit, count, time] = args as [Expression, Expression, Expression];
    const step = castTo(string(units.get(unitOf(unit)) ?? '', unit.span), 'interval', unit.span);
    const sum = binary(op, time, binary('*', count, step, span), span);
    return type === undefined ? sum : castTo(sum, type, span);
  };
}

const difference: Read = (args, { span }) => {
  const [unit, start, end] = args as [Expression, Expression, Expression];
  return callOf('timestampdiff', [string(unitOf(unit), unit.span), start, end], span);
};

const UNITS = 'the unit is a bare word: SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR';

const fields: readonly (readonly [string, string, number?])[] = [
  ...['year', 'quarter', 'month', 'week', 'hour', 'minute', 'second'].map(
    (name): [string, string] => [name, name],
  ),
  ['dayofyear', 'doy'],
  ['dayofmonth', 'day'],
  ['dayofweek', 'dow', 1],
];

export const dates: readonly DialectRow[] = [
  ...fields.map(
    ([name, part, shift = 0]): DialectRow => [
      name,
      'any',
      'bigint',
      name === 'dayofweek'
        ? 'day of the week, Sunday is 1'
        : `whole ${part} of a date, time or timestamp, as extract(${part} FROM …)`,
      field(part, shift),
    ],
  ),
  [
    'timestampadd',
    'UNIT, integer, timestamp',
    'timestamp',
    `timestamp so many units later; ${UNITS}`,
    moved('+'),
  ],
  [
    'timestampsub',
    'UNIT, integer, timestamp',
    'timestamp',
    'timestamp so many units earlier',
    moved('-'),
  ],
  ['dateadd', 'UNIT, integer, date', 'date', 'date so many units later', moved('+', 'date')],
  ['datesub', 'UNIT, integer, date', 'date', 'date so many units earlier', moved('-', 'date')],
  ['timeadd', 'UNIT, integer, time', 'time', 'time so many units later, past midnight', moved('+')],
  ['timesub', 'UNIT, integer, time', 'time', 'time so many units earlier', moved('-')],
  [
    'timestampdiff',
    'UNIT, timestamp, timestamp',
    'bigint',
    'whole units from the first to the second; the unit is a bare word',
    difference,
  ],
  [
    'convert_tz',
    'timestamp, text, text',
    'timestamp',
    'what clocks of the second time zone show when those of the first show this',
    template('(CAST($1 AS timestamp) AT TIME ZONE $2) AT TIME ZONE $3'),
  ],
  [
    'format_time',
    'time, text',
    'text',
    "time by a pattern of Java's DateTimeFormatter",
    template("format_timestamp(DATE '1970-01-01' + $1, $2)"),
  ],
  [
    'parse_time',
    'text, text',
    'time',
    "time by a pattern of Java's DateTimeFormatter",
    template('CAST(parse_timestamp($1, $2) AS time)'),
  ],
  [
    'from_days',
    'integer',
    'date',
    'date so many days after 1970-01-01',
    template("DATE '1970-01-01' + $1"),
  ],
  [
    'unix_date',
    'date',
    'integer',
    'days from 1970-01-01 to a date',
    template("$1 - DATE '1970-01-01'"),
  ],
  [
    'datetostring',
    'integer, text',
    'text',
    "date so many days after 1970-01-01, by a pattern of Java's DateTimeFormatter",
    template("format_date(DATE '1970-01-01' + $1, $2)"),
  ],
  [
    'stringtodate',
    'text, text',
    'integer',
    "days from 1970-01-01 to a date that is written by a pattern of Java's DateTimeFormatter",
    template("parse_date($1, $2) - DATE '1970-01-01'"),
  ],
  [
    'to_timestamp_ltz',
    'numeric [, integer]',
    'timestamptz',
    'time so many milliseconds after 1970-01-01 00:00 UTC, seconds with a precision of 0',
    template('to_timestamp(CASE WHEN $2 = 0 THEN $1 ELSE $1 / 1000.0 END)'),
  ],
];
