/** One column of the datagen connector: how its value is made, as JSON text. */
import { Buffer } from 'node:buffer';
import { StreamError } from '../../sql/base/error.ts';
import { type Column, typeName } from '../../sql/base/type.ts';
import { choiceOption, invalidOption, numberOption, type Options } from '../options.ts';
import type { ByteWriter, IsoTimeWriter } from './byte-writer.ts';
import type { NumberedRandom } from './random.ts';

export interface RuleContext {
  readonly random: NumberedRandom;
  readonly isoTime: IsoTimeWriter;
  offset: number;
  timestampMs: number;
}

export interface ColumnRule {
  /** `"name":` */
  readonly key: Buffer;
  /** Most bytes of key and value. */
  readonly bytesMax: number;
  /** Rows that the rule can fill; Infinity unless it is a sequence with an end. */
  readonly rowsMax: number;
  /** Always draws the same number of random numbers for a row. */
  write(context: RuleContext, out: ByteWriter): void;
}

interface Maker {
  readonly bytesMax: number;
  readonly rowsMax?: number;
  write(context: RuleContext, out: ByteWriter): void;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const TEXT_LENGTH = 100;
const TEXT_LENGTH_MAX = 1_000_000;
const DAY_MS = 86_400_000;
const NUMBER_BYTES = 32;
const quote = 0x22;
const nullText = Buffer.from('null');

const integerRanges = {
  smallint: [-32768, 32767],
  integer: [-2147483648, 2147483647],
  bigint: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
} as const;

/** @throws StreamError SQL_INVALID_OPTION naming the option; SQL_NOT_SUPPORTED for a type without a rule. */
export function columnRule(column: Column, options: Options): ColumnRule {
  const prefix = `fields.${column.name.toLowerCase()}`;
  const kind = choiceOption(options, `${prefix}.kind`, ['random', 'sequence']) ?? 'random';
  const maker =
    kind === 'sequence' ? sequence(column, prefix, options) : random(column, prefix, options);
  const key = Buffer.from(`${JSON.stringify(column.name)}:`);
  const nullRate = numberOption(options, `${prefix}.null-rate`, 0, {
    min: 0,
    max: 1,
    integer: false,
  });
  const bytesMax = key.length + Math.max(maker.bytesMax, nullText.length) + 1;
  const rowsMax = maker.rowsMax ?? Number.POSITIVE_INFINITY;
  if (nullRate === 0) return { key, bytesMax, rowsMax, write: maker.write };
  return {
    key,
    bytesMax,
    rowsMax,
    write: (context, out) => {
      if (context.random.fraction() < nullRate) out.fragment(nullText);
      else maker.write(context, out);
    },
  };
}

function sequence(column: Column, prefix: string, options: Options): Maker {
  const safe = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, integer: true };
  const start = numberOption(options, `${prefix}.start`, 0, safe);
  const end = numberOption(options, `${prefix}.end`, Number.POSITIVE_INFINITY, safe);
  const quoted = column.type.kind === 'text' || column.type.kind === 'varchar';
  if (!quoted && !(column.type.kind in integerRanges) && !isReal(column)) {
    throw invalidOption(`${prefix}.kind`, 'sequence', 'random for a column of this type');
  }
  return {
    bytesMax: NUMBER_BYTES,
    rowsMax: Math.max(end - start + 1, 0),
    write: ({ offset }, out) => {
      const text = String(start + offset);
      out.text(quoted ? `"${text}"` : text);
    },
  };
}

function isReal(column: Column): boolean {
  const { kind } = column.type;
  return kind === 'real' || kind === 'double' || kind === 'numeric';
}

function random(column: Column, prefix: string, options: Options): Maker {
  const { type } = column;
  switch (type.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return randomInteger(integerRanges[type.kind], prefix, options);
    case 'real':
    case 'double':
      return randomReal(undefined, prefix, options);
    case 'numeric':
      return randomReal(Math.min(type.scale ?? 2, 15), prefix, options);
    case 'boolean':
      return { bytesMax: 5, write: ({ random: r }, out) => out.text(String(r.below(2) === 1)) };
    case 'text':
    case 'varchar':
    case 'char':
      return randomText(type.kind === 'text' ? undefined : type.length, prefix, options);
    case 'timestamp':
    case 'timestamptz':
      return randomTime(prefix, options);
    case 'date':
      return randomDate(prefix, options);
    case 'uuid':
      return { bytesMax: 40, write: writeUuid };
    default:
      throw new StreamError(
        'SQL_NOT_SUPPORTED',
        `datagen cannot fill column "${column.name}" of type ${typeName(type)}`,
      );
  }
}

function randomInteger(
  [low, high]: readonly [number, number],
  prefix: string,
  options: Options,
): Maker {
  const range = { min: low, max: high, integer: true };
  const min = numberOption(options, `${prefix}.min`, Math.max(low, 0), range);
  const max = numberOption(options, `${prefix}.max`, Math.min(high, 2147483647), range);
  if (max < min) throw invalidOption(`${prefix}.max`, String(max), `at least ${min}`);
  const span = max - min + 1;
  return {
    bytesMax: NUMBER_BYTES,
    write: ({ random: r }, out) => {
      const value = min + Math.floor(r.fraction() * span);
      if (value >= 0) out.integer(value);
      else out.text(String(value));
    },
  };
}

function randomReal(decimals: number | undefined, prefix: string, options: Options): Maker {
  const range = { min: -1e15, max: 1e15, integer: false };
  const min = numberOption(options, `${prefix}.min`, 0, range);
  const max = numberOption(options, `${prefix}.max`, decimals === undefined ? 1 : 100, range);
  if (max < min) throw invalidOption(`${prefix}.max`, String(max), `at least ${min}`);
  return {
    bytesMax: NUMBER_BYTES + 8,
    write: ({ random: r }, out) => {
      const value = min + r.fraction() * (max - min);
      out.text(decimals === undefined ? String(value) : value.toFixed(decimals));
    },
  };
}

function randomText(lengthMax: number | undefined, prefix: string, options: Options): Maker {
  const values = options.get(`${prefix}.values`)?.split(',');
  if (values !== undefined) {
    const texts = values.map((value) => Buffer.from(JSON.stringify(value.trim())));
    return {
      bytesMax: Math.max(...texts.map((text) => text.length)),
      write: ({ random: r }, out) => out.fragment(texts[r.below(texts.length)] ?? nullText),
    };
  }
  const length = numberOption(
    options,
    `${prefix}.length`,
    Math.min(TEXT_LENGTH, lengthMax ?? TEXT_LENGTH),
    { min: 0, max: TEXT_LENGTH_MAX, integer: true },
  );
  return {
    bytesMax: length + 2,
    write: ({ random: r }, out) => {
      out.byte(quote);
      for (let i = 0; i < length; i++) out.byte(LETTERS.charCodeAt(r.below(LETTERS.length)));
      out.byte(quote);
    },
  };
}

/** The row's event time, up to `max-past` milliseconds late. */
function randomTime(prefix: string, options: Options): Maker {
  const pastMs = numberOption(options, `${prefix}.max-past`, 0, {
    min: 0,
    max: 1e12,
    integer: true,
  });
  return {
    bytesMax: 26,
    write: ({ random: r, timestampMs, isoTime }, out) => {
      const late = pastMs === 0 ? 0 : Math.floor(r.fraction() * (pastMs + 1));
      out.byte(quote);
      isoTime.write(timestampMs - late, out);
      out.byte(quote);
    },
  };
}

function randomDate(prefix: string, options: Options): Maker {
  const days = { min: -36_525, max: 73_050, integer: true };
  const min = numberOption(options, `${prefix}.min`, 0, days);
  const max = numberOption(options, `${prefix}.max`, 20_000, days);
  if (max < min) throw invalidOption(`${prefix}.max`, String(max), `at least ${min}`);
  return {
    bytesMax: 16,
    write: ({ random: r }, out) => {
      const day = min + r.below(max - min + 1);
      out.text(`"${new Date(day * DAY_MS).toISOString().slice(0, 10)}"`);
    },
  };
}

function writeUuid({ random: r }: RuleContext, out: ByteWriter): void {
  const hex = (bits: number): string => bits.toString(16).padStart(8, '0');
  const a = hex(r.bits());
  const b = hex(r.bits());
  const c = hex(r.bits());
  const d = hex(r.bits());
  const variant = ((r.bits() & 3) | 8).toString(16);
  out.text(`"${a}-${b.slice(0, 4)}-4${b.slice(5)}-${variant}${c.slice(1, 4)}-${c.slice(4)}${d}"`);
}
