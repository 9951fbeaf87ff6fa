/**
 * connector='datagen': rows by a rule per column, as JSON records. Options as Flink's:
 *
 * | option               | meaning                                                                     |
 * | -------------------- | --------------------------------------------------------------------------- |
 * | rows-per-second      | by the clock; 0 = unpaced; default 10,000                                   |
 * | number-of-rows       | default endless                                                             |
 * | seed                 | another seed gives other rows; default 0                                    |
 * | first.event.time     | where random timestamps start; default 2024-01-01T00:00:00Z                 |
 * | fields.C.kind        | random (default) or sequence                                                |
 * | fields.C.min, .max   | range of random numbers                                                     |
 * | fields.C.length      | letters of random text; default 100                                         |
 * | fields.C.values      | comma-separated texts to choose from                                        |
 * | fields.C.start, .end | of a sequence; without .end it is endless                                   |
 * | fields.C.null-rate   | share of NULLs, 0 to 1                                                      |
 *
 * A timestamp column without a rule is the row's event time: it advances by the rate.
 */
import { StreamError } from '../../sql/base/error.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { Offset, SourceConnector, SourceReader, StartPosition } from '../connector.ts';
import { numberOption, type Options, timeOption } from '../options.ts';
import { type ByteWriter, IsoTimeWriter } from './byte-writer.ts';
import { type ColumnRule, columnRule, type RuleContext } from './datagen-rule.ts';
import { GeneratedReader, type RecordWriter } from './generated-reader.ts';
import { NumberedRandom } from './random.ts';

const FIRST_EVENT_MS = Date.UTC(2024, 0, 1);
const ROWS_PER_SECOND = 10_000;
const whole = { min: 0, max: 1e15, integer: true };

interface DatagenSettings {
  readonly rules: readonly ColumnRule[];
  readonly seed: number;
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly firstEventMs: number;
}

function parse(options: Options, schema: Schema): DatagenSettings {
  checkFields(options, schema);
  const rules = schema.map((column) => columnRule(column, options));
  let rows = numberOption(options, 'number-of-rows', Number.POSITIVE_INFINITY, whole);
  // A sequence with an end ends the whole stream, as in Flink.
  for (const rule of rules) rows = Math.min(rows, rule.rowsMax);
  return {
    rules,
    seed: numberOption(options, 'seed', 0, { min: 0, max: 0xffffffff, integer: true }),
    rows,
    rowsPerSecond: numberOption(options, 'rows-per-second', ROWS_PER_SECOND, {
      min: 0,
      max: 1e9,
      integer: false,
    }),
    firstEventMs: timeOption(options, 'first.event.time', FIRST_EVENT_MS),
  };
}

function checkFields(options: Options, schema: Schema): void {
  for (const name of options.keys()) {
    if (!name.startsWith('fields.')) continue;
    const column = name.slice('fields.'.length, name.lastIndexOf('.'));
    if (schema.some((known) => known.name.toLowerCase() === column)) continue;
    throw new StreamError('SQL_INVALID_OPTION', `option "${name}" names no column`, {
      hint: `The columns are: ${schema.map((known) => known.name).join(', ')}.`,
    });
  }
}

class DatagenWriter implements RecordWriter {
  readonly recordBytesMax: number;
  readonly #settings: DatagenSettings;
  readonly #random: NumberedRandom;
  readonly #context: RuleContext;

  constructor(settings: DatagenSettings) {
    this.#settings = settings;
    this.#random = new NumberedRandom(settings.seed);
    this.#context = {
      random: this.#random,
      isoTime: new IsoTimeWriter(),
      offset: 0,
      timestampMs: 0,
    };
    this.recordBytesMax = settings.rules.reduce((sum, rule) => sum + rule.bytesMax, 16);
  }

  write(offset: Offset, out: ByteWriter): number {
    const { rules, firstEventMs, rowsPerSecond } = this.#settings;
    const context = this.#context;
    const rate = rowsPerSecond === 0 ? ROWS_PER_SECOND : rowsPerSecond;
    context.offset = offset;
    context.timestampMs = firstEventMs + Math.floor((offset * 1000) / rate);
    this.#random.start(offset);
    for (const [i, rule] of rules.entries()) {
      out.byte(i === 0 ? 0x7b : 0x2c);
      out.fragment(rule.key);
      rule.write(context, out);
    }
    out.byte(0x7d);
    return context.timestampMs;
  }
}

/** @param now  milliseconds of a clock that never goes back, for pacing. */
export function datagenConnector(now: () => number): SourceConnector {
  return {
    type: 'datagen',
    schema: () => undefined,
    validate: (options, schema) => {
      parse(options, schema);
    },
    open: async (options: Options, schema: Schema, from: StartPosition): Promise<SourceReader> => {
      const settings = parse(options, schema);
      const start = from.offsets.get(0) ?? 0;
      return new GeneratedReader(new DatagenWriter(settings), start, settings.rows, {
        recordsPerSecond: settings.rowsPerSecond,
        now,
      });
    },
  };
}
