/**
 * connector='nexmark': persons, auctions or bids of the Nexmark workload as JSON records.
 *
 * | option               | meaning                                                                    |
 * | -------------------- | -------------------------------------------------------------------------- |
 * | nexmark.table        | person, auction or bid; also 'table'                                       |
 * | events.per.second    | events of all three kinds a second by the clock; 0 (default) = unpaced     |
 * | events               | events of all three kinds in all; default endless                          |
 * | rows                 | records of this table in all; default endless                              |
 * | seed                 | another seed gives other records; default 0                                |
 * | first.event.time     | event time of the first event; default 2015-07-15T00:00:00Z, as published  |
 */
import { StreamError } from '../../sql/base/error.ts';
import type { Column, Schema, SqlType } from '../../sql/base/type.ts';
import type { RecordBatch, SourceConnector, SourceReader, StartPosition } from '../connector.ts';
import { choiceOption, numberOption, type Options, timeOption } from '../options.ts';
import { GeneratedReader, writeBatch } from './generated-reader.ts';
import { eventsOfKind, type NexmarkKind, nexmarkKinds } from './nexmark-model.ts';
import { type NexmarkSettings, NexmarkWriter } from './nexmark-writer.ts';

const FIRST_EVENT_MS = Date.UTC(2015, 6, 15);
/** Event time advances as if this many events came a second, when no pace is asked for. */
const EVENT_TIME_RATE = 10_000;
const EVENTS_MAX = 1e15;

const whole = { min: 0, max: EVENTS_MAX, integer: true };

const columnTypes: Record<NexmarkKind, readonly (readonly [string, SqlType['kind']])[]> = {
  person: [
    ['id', 'bigint'],
    ['name', 'text'],
    ['email_address', 'text'],
    ['credit_card', 'text'],
    ['city', 'text'],
    ['state', 'text'],
    ['date_time', 'timestamp'],
    ['extra', 'text'],
  ],
  auction: [
    ['id', 'bigint'],
    ['item_name', 'text'],
    ['description', 'text'],
    ['initial_bid', 'bigint'],
    ['reserve', 'bigint'],
    ['date_time', 'timestamp'],
    ['expires', 'timestamp'],
    ['seller', 'bigint'],
    ['category', 'bigint'],
    ['extra', 'text'],
  ],
  bid: [
    ['auction', 'bigint'],
    ['bidder', 'bigint'],
    ['price', 'bigint'],
    ['channel', 'text'],
    ['url', 'text'],
    ['date_time', 'timestamp'],
    ['extra', 'text'],
  ],
};

/** The columns of a Nexmark table. */
export function nexmarkSchema(kind: NexmarkKind): Schema {
  return columnTypes[kind].map(([name, type]) => {
    const column: Column = { name, type: { kind: type } as SqlType, nullable: true };
    return column;
  });
}

interface NexmarkOptions extends NexmarkSettings {
  /** Records of this kind in all; Infinity = endless. */
  readonly rows: number;
  /** 0 = unpaced. */
  readonly rowsPerSecond: number;
}

function parse(options: Options): NexmarkOptions {
  const kind =
    choiceOption(options, 'table', nexmarkKinds) ??
    choiceOption(options, 'nexmark.table', nexmarkKinds) ??
    // RisingWave's name.
    choiceOption(options, 'nexmark.table.type', nexmarkKinds);
  if (kind === undefined) {
    throw new StreamError('SQL_INVALID_OPTION', 'option "nexmark.table" is required', {
      hint: "Add 'nexmark.table' = 'person', 'auction' or 'bid' to WITH (…).",
    });
  }
  const perSecond = numberOption(options, 'events.per.second', 0, {
    min: 0,
    max: 1e9,
    integer: false,
  });
  const events = numberOption(options, 'events', Number.POSITIVE_INFINITY, whole);
  const rows = numberOption(options, 'rows', Number.POSITIVE_INFINITY, whole);
  // 50 events hold a fixed number of each kind, so the share of a kind is exact.
  const share = eventsOfKind(kind, 50) / 50;
  return {
    kind,
    seed: numberOption(options, 'seed', 0, { min: 0, max: 0xffffffff, integer: true }),
    eventsPerSecond: perSecond === 0 ? EVENT_TIME_RATE : perSecond,
    firstEventMs: timeOption(options, 'first.event.time', FIRST_EVENT_MS),
    rows: Math.min(rows, eventsOfKind(kind, events)),
    rowsPerSecond: perSecond * share,
  };
}

/** @param now  milliseconds of a clock that never goes back, for pacing. */
export function nexmarkConnector(now: () => number): SourceConnector {
  return {
    type: 'nexmark',
    schema: (options) => nexmarkSchema(parse(options).kind),
    validate: (options) => {
      parse(options);
    },
    open: async (options: Options, _schema: Schema, from: StartPosition): Promise<SourceReader> => {
      const settings = parse(options);
      const start = from.offsets.get(0) ?? 0;
      return new GeneratedReader(new NexmarkWriter(settings), start, settings.rows, {
        recordsPerSecond: settings.rowsPerSecond,
        now,
      });
    },
  };
}

export interface NexmarkBatchOptions {
  readonly seed?: number | undefined;
  /** Offset of the first record. */
  readonly from?: number | undefined;
  /** Bytes per batch, about. */
  readonly batchBytes?: number | undefined;
  readonly eventsPerSecond?: number | undefined;
  readonly firstEventMs?: number | undefined;
}

/** `records` records of one kind in memory, for benchmarks and tests. */
export function nexmarkBatches(
  kind: NexmarkKind,
  records: number,
  options: NexmarkBatchOptions = {},
): RecordBatch[] {
  const writer = new NexmarkWriter({
    kind,
    seed: options.seed ?? 0,
    eventsPerSecond: options.eventsPerSecond ?? EVENT_TIME_RATE,
    firstEventMs: options.firstEventMs ?? FIRST_EVENT_MS,
  });
  const batches: RecordBatch[] = [];
  const end = (options.from ?? 0) + records;
  let next = options.from ?? 0;
  while (next < end) {
    const batch = writeBatch(writer, next, end, options.batchBytes ?? 1024 * 1024);
    batches.push(batch);
    next += batch.length;
  }
  return batches;
}

/** The first `events` events of the whole workload, by kind: 1 person to 3 auctions to 46 bids. */
export function nexmarkWorkload(
  events: number,
  options: NexmarkBatchOptions = {},
): Readonly<Record<NexmarkKind, RecordBatch[]>> {
  const of = (kind: NexmarkKind): RecordBatch[] =>
    nexmarkBatches(kind, eventsOfKind(kind, events), options);
  return { person: of('person'), auction: of('auction'), bid: of('bid') };
}
