/**
 * What a session may SET: PostgreSQL's names that its clients use, and those of streams. A value that would have to change an answer and
 * cannot is refused; nothing is taken and ignored.
 */
import { StreamError } from '../sql/base/error.ts';
import { findZone } from '../sql/base/timezone.ts';

interface Setting {
  readonly default: string;
  /** As PostgreSQL shows the name. */
  readonly shown?: string;
  /** The value in its canonical spelling. @throws StreamError. Without it the value is fixed. */
  readonly read?: ((text: string, name: string) => string) | undefined;
}

const any = (text: string): string => text;

function oneOf(...values: readonly string[]): Setting['read'] {
  return (text, name) => {
    const value = text.toLowerCase();
    if (values.includes(value)) return value;
    throw invalidValue(name, text, `Available values: ${values.join(', ')}.`);
  };
}

/** Of PostgreSQL's values only some change nothing here that they should change. */
function onlyOf(known: readonly string[], supported: readonly string[]): Setting['read'] {
  const read = oneOf(...known);
  return (text, name) => {
    const value = read?.(text, name) ?? text;
    if (supported.includes(value)) return value;
    throw new StreamError('SQL_NOT_SUPPORTED', `${name} = ${text} is not supported`, {
      hint: `Supported: ${supported.join(', ')}.`,
    });
  };
}

const booleans: ReadonlyMap<string, string> = new Map(
  ['on', 'true', 'yes', '1', 't', 'y']
    .map((text): [string, string] => [text, 'on'])
    .concat(['off', 'false', 'no', '0', 'f', 'n'].map((text): [string, string] => [text, 'off'])),
);

function readBoolean(text: string, name: string): string {
  const value = booleans.get(text.toLowerCase());
  if (value !== undefined) return value;
  throw new StreamError('SQL_INVALID_OPTION', `parameter "${name}" requires a Boolean value`);
}

const UNIT_MS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
  ['ms', 1],
];
/** PostgreSQL's bound of settings that are integers. */
const MS_MAX = 2_147_483_647;

/** `5s`, `100ms`, `1500`; shown in the largest unit that holds it whole. */
function readDuration(text: string, name: string): string {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*$/.exec(text);
  if (match === null) {
    throw invalidValue(
      name,
      text,
      'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".',
    );
  }
  const unit = match[2] ?? 'ms';
  const unitMs = unit === 'us' ? 0.001 : (UNIT_MS.find(([known]) => known === unit)?.[1] ?? 1);
  const ms = Math.round(Number(match[1]) * unitMs);
  if (ms > MS_MAX) {
    throw new StreamError(
      'SQL_INVALID_OPTION',
      `${ms} ms is outside the valid range for parameter "${name}" (0 ms .. ${MS_MAX} ms)`,
    );
  }
  const whole = UNIT_MS.find(([, size]) => ms >= size && ms % size === 0);
  return whole === undefined ? '0' : `${ms / whole[1]}${whole[0]}`;
}

/** Milliseconds of a duration as it is kept; 0 = none. */
export function durationMs(settings: ReadonlyMap<string, string>, name: string): number {
  const match = /^(\d+)(\D+)$/.exec(settings.get(name) ?? '');
  return match === null
    ? 0
    : Number(match[1]) * (UNIT_MS.find(([unit]) => unit === match[2])?.[1] ?? 0);
}

function readZone(text: string, name: string): string {
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return hoursZone(Number(text), text, name);
  const zone = findZone(text);
  if (zone === undefined) throw invalidValue(name, text);
  if (zone.kind === 'named') return zoneSpelling(zone.name, text);
  return zone.offsetSeconds === 0 && /^(utc|z|zulu|uct)$/i.test(text) ? 'UTC' : text;
}

/** The engine of JavaScript knows some zones by an older name; then the words of what was written get their capitals. */
function zoneSpelling(known: string, text: string): string {
  if (known.toLowerCase() === text.toLowerCase()) return known;
  return text.toLowerCase().replace(/(^|[/_-])([a-z])/g, (letters) => letters.toUpperCase());
}

/** A number counts hours east of Greenwich; PostgreSQL names such a zone in POSIX form. */
function hoursZone(hours: number, text: string, name: string): string {
  if (Math.abs(hours) > 168) throw invalidValue(name, text);
  const minutes = Math.round(Math.abs(hours) * 60);
  const clock = `${String(Math.floor(minutes / 60)).padStart(2, '0')}${minutes % 60 === 0 ? '' : `:${String(minutes % 60).padStart(2, '0')}`}`;
  if (minutes === 0) return 'UTC';
  return hours < 0 ? `<-${clock}>+${clock}` : `<+${clock}>-${clock}`;
}

const STYLES = ['iso', 'sql', 'postgres', 'german'];
const ORDERS: ReadonlyMap<string, string> = new Map([
  ['mdy', 'MDY'],
  ['us', 'MDY'],
  ['noneuro', 'MDY'],
  ['noneuropean', 'MDY'],
  ['dmy', 'DMY'],
  ['euro', 'DMY'],
  ['european', 'DMY'],
  ['ymd', 'YMD'],
]);

function readDateStyle(text: string, name: string): string {
  for (const part of text.split(',').map((word) => word.trim().toLowerCase())) {
    const order = ORDERS.get(part);
    if (order === undefined && !STYLES.includes(part)) throw invalidValue(name, text);
    if (part === 'iso' || order === 'MDY') continue;
    throw new StreamError('SQL_NOT_SUPPORTED', `${name} = ${text} is not supported`, {
      hint: 'Dates are read and printed in ISO form, MDY where a form is ambiguous.',
    });
  }
  return 'ISO, MDY';
}

function readDigits(text: string, name: string): string {
  if (!/^-?\d+$/.test(text)) throw invalidValue(name, text);
  const digits = Number(text);
  if (digits >= 1 && digits <= 3) return String(digits);
  throw new StreamError('SQL_NOT_SUPPORTED', `${name} = ${text} is not supported`, {
    hint: 'Floating-point numbers are always printed in their shortest exact form (1 to 3).',
  });
}

function readReset(text: string, name: string): string {
  const value = text.toLowerCase().replace(/-offset$/, '');
  if (value === 'earliest' || value === 'latest') return value;
  throw invalidValue(name, text, "It is 'earliest' or 'latest'.");
}

function invalidValue(name: string, text: string, hint?: string): StreamError {
  return new StreamError('SQL_INVALID_OPTION', `invalid value for parameter "${name}": "${text}"`, {
    hint,
  });
}

const ISOLATION = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'];

const SETTINGS: Readonly<Record<string, Setting>> = {
  'auto.offset.reset': { default: 'earliest', read: readReset },
  application_name: { default: '', read: any },
  bytea_output: { default: 'hex', read: onlyOf(['hex', 'escape'], ['hex']) },
  client_encoding: {
    default: 'UTF8',
    read: (text, name) => {
      if (/^utf-?8$|^unicode$/i.test(text)) return 'UTF8';
      throw new StreamError('SQL_NOT_SUPPORTED', `${name} = ${text} is not supported`, {
        hint: 'All text is UTF-8.',
      });
    },
  },
  // Dumps begin with these; there are no functions, tablespaces and access methods to which they could matter.
  check_function_bodies: { default: 'on', read: readBoolean },
  default_table_access_method: { default: 'heap', read: onlyOf(['heap'], ['heap']) },
  default_tablespace: { default: '', read: onlyOf([''], ['']) },
  row_security: { default: 'on', read: readBoolean },
  transaction_timeout: { default: '0', read: onlyOf(['0'], ['0']) },
  xmloption: { default: 'content', read: oneOf('content', 'document') },
  client_min_messages: {
    default: 'notice',
    read: oneOf(
      'debug5',
      'debug4',
      'debug3',
      'debug2',
      'debug1',
      'log',
      'notice',
      'warning',
      'error',
    ),
  },
  datestyle: { default: 'ISO, MDY', shown: 'DateStyle', read: readDateStyle },
  default_transaction_isolation: { default: 'read committed', read: oneOf(...ISOLATION) },
  default_transaction_read_only: { default: 'off', read: readBoolean },
  extra_float_digits: { default: '1', read: readDigits },
  idle_in_transaction_session_timeout: { default: '0', read: readDuration },
  integer_datetimes: { default: 'on' },
  intervalstyle: {
    default: 'postgres',
    shown: 'IntervalStyle',
    read: onlyOf(['postgres', 'postgres_verbose', 'sql_standard', 'iso_8601'], ['postgres']),
  },
  // Nothing waits for a lock.
  lock_timeout: { default: '0', read: readDuration },
  // RisingWave's: an INSERT returns when every view shows its records.
  rw_implicit_flush: { default: 'off', read: readBoolean },
  search_path: { default: 'public', read: any },
  server_encoding: { default: 'UTF8' },
  server_version: { default: '17.0' },
  server_version_num: { default: '170000' },
  standard_conforming_strings: {
    default: 'on',
    read: (text, name) => onlyOf(['on', 'off'], ['on'])?.(readBoolean(text, name), name) ?? 'on',
  },
  statement_timeout: { default: '0', read: readDuration },
  timezone: { default: 'UTC', shown: 'TimeZone', read: readZone },
  transaction_isolation: { default: 'read committed' },
  transaction_read_only: { default: 'off' },
};

/**
 * Names of RisingWave and Materialize that say how these compute an answer, on which machines and how soon, and never which
 * answer: scripts from there run as they are, and `SHOW` gives the value back.
 */
const FOREIGN: ReadonlySet<string> = new Set([
  ...[
    'streaming_parallelism',
    'streaming_parallelism_for_table',
    'streaming_parallelism_for_source',
  ],
  ...['streaming_parallelism_for_sink', 'streaming_parallelism_for_materialized_view'],
  ...[
    'streaming_parallelism_for_index',
    'streaming_max_parallelism',
    'batch_parallelism',
    'max_parallelism',
  ],
  ...['streaming_join_encoding_optimized_for', 'streaming_over_window_cache_policy'],
  ...[
    'streaming_use_arrangement_backfill',
    'streaming_use_snapshot_backfill',
    'streaming_use_shared_source',
  ],
  ...['streaming_enable_unaligned_join', 'streaming_force_filter_inside_join', 'background_ddl'],
  ...[
    'rw_streaming_enable_delta_join',
    'rw_streaming_enable_bushy_join',
    'rw_enable_join_ordering',
  ],
  ...['rw_enable_two_phase_agg', 'rw_force_two_phase_agg', 'rw_force_split_distinct_agg'],
  ...['rw_enable_share_plan', 'rw_batch_enable_sort_agg', 'rw_batch_enable_lookup_join'],
  ...['enable_join_ordering', 'enable_two_phase_agg', 'force_two_phase_agg', 'enable_share_plan'],
  ...[
    'query_mode',
    'sink_decouple',
    'synchronize_seqscans',
    'backfill_rate_limit',
    'source_rate_limit',
  ],
  ...['sink_rate_limit', 'dml_rate_limit', 'allow_drop_cascade'],
  ...['cluster', 'cluster_replica', 'real_time_recency', 'emit_timestamp_notice'],
]);

/** Other spellings of names. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['scan.startup.mode', 'auto.offset.reset'],
  ['ksql.streams.auto.offset.reset', 'auto.offset.reset'],
  ['time zone', 'timezone'],
  ['transaction isolation level', 'transaction_isolation'],
]);

export function defaultSettings(): Map<string, string> {
  return new Map(Object.entries(SETTINGS).map(([name, setting]) => [name, setting.default]));
}

/** Names are the same in any case. */
export function settingKey(name: string): string {
  const key = name.toLowerCase();
  return ALIASES.get(key) ?? key;
}

export function shownName(key: string): string {
  return SETTINGS[key]?.shown ?? key;
}

/**
 * The value to keep. Names with a dot that nobody knows belong to the client, as in PostgreSQL.
 * @throws StreamError SQL_UNKNOWN_OBJECT, SQL_INVALID_OPTION, SQL_NOT_SUPPORTED, SQL_SETTING_FIXED.
 */
export function readSetting(key: string, text: string): string {
  const setting = SETTINGS[key];
  if (setting === undefined) {
    requireKnown(key);
    return text;
  }
  if (setting.read !== undefined) return setting.read(text, shownName(key));
  throw new StreamError('SQL_SETTING_FIXED', `parameter "${key}" cannot be changed`);
}

/** The value of RESET and DEFAULT; undefined removes it. @throws StreamError SQL_UNKNOWN_OBJECT. */
export function settingDefault(key: string): string | undefined {
  const setting = SETTINGS[key];
  if (setting === undefined) requireKnown(key);
  return setting?.default;
}

function requireKnown(key: string): void {
  // Flink's have hyphens.
  if (/^[a-z_][\w$-]*(\.[a-z_][\w$-]*)+$/.test(key) || FOREIGN.has(key)) return;
  throw new StreamError('SQL_UNKNOWN_OBJECT', `unrecognized configuration parameter "${key}"`, {
    hint: 'SHOW ALL lists the parameters; names of your own have a dot.',
  });
}
