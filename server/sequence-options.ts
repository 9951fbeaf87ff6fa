/** The options of CREATE SEQUENCE and ALTER SEQUENCE, with PostgreSQL's defaults and complaints. */
import type { SequenceOption } from '../sql/ast-relation.ts';
import { StreamError } from '../sql/base/error.ts';

export interface SequenceOptions {
  readonly type: 'smallint' | 'integer' | 'bigint';
  readonly increment: bigint;
  readonly min: bigint;
  readonly max: bigint;
  readonly start: bigint;
  readonly cycle: boolean;
}

type NumberOption = Extract<SequenceOption, { readonly value: bigint | undefined }>;

const BITS: Readonly<Record<SequenceOptions['type'], bigint>> = {
  smallint: 15n,
  integer: 31n,
  bigint: 63n,
};
const TYPES: ReadonlyMap<string, SequenceOptions['type']> = new Map([
  ['int2', 'smallint'],
  ['int4', 'integer'],
  ['int8', 'bigint'],
]);

/**
 * @param known  what ALTER SEQUENCE starts from.
 * @throws StreamError SQL_INVALID_OPTION, SQL_SYNTAX for an option that is written twice.
 */
export function sequenceOptions(
  written: readonly SequenceOption[],
  known?: SequenceOptions,
  columnType: SequenceOptions['type'] = 'bigint',
): SequenceOptions {
  refuseTwice(written);
  const number = (kind: NumberOption['kind']): NumberOption | undefined =>
    written.find((one): one is NumberOption => one.kind === kind);
  const type = typeOf(written) ?? known?.type ?? columnType;
  const increment = number('increment')?.value ?? known?.increment ?? 1n;
  if (increment === 0n) throw invalid('INCREMENT must not be zero');
  const limit = 1n << BITS[type];
  const isAscending = increment > 0n;
  const lowest = isAscending ? 1n : -limit;
  const highest = isAscending ? limit - 1n : -1n;
  // The bounds of a type go with it, as far as nobody has chosen others.
  const oldLimit = known === undefined ? 0n : 1n << BITS[known.type];
  const knownMin = known?.min === -oldLimit ? undefined : known?.min;
  const knownMax = known?.max === oldLimit - 1n ? undefined : known?.max;
  const min = bound(number('min'), knownMin, lowest);
  const max = bound(number('max'), knownMax, highest);
  if (max > limit - 1n || max < -limit) {
    throw invalid(`MAXVALUE (${max}) is out of range for sequence data type ${type}`);
  }
  if (min < -limit || min > limit - 1n) {
    throw invalid(`MINVALUE (${min}) is out of range for sequence data type ${type}`);
  }
  if (min >= max) throw invalid(`MINVALUE (${min}) must be less than MAXVALUE (${max})`);
  const start = number('start')?.value ?? known?.start ?? (isAscending ? min : max);
  if (start < min) throw invalid(`START value (${start}) cannot be less than MINVALUE (${min})`);
  if (start > max) throw invalid(`START value (${start}) cannot be greater than MAXVALUE (${max})`);
  const cache = number('cache')?.value;
  if (cache !== undefined && cache <= 0n)
    throw invalid(`CACHE (${cache}) must be greater than zero`);
  return { type, increment, min, max, start, cycle: cycleOf(written) ?? known?.cycle ?? false };
}

function bound(
  option: { readonly value: bigint | undefined } | undefined,
  known: bigint | undefined,
  initial: bigint,
): bigint {
  // NO MINVALUE and NO MAXVALUE have no value.
  if (option !== undefined) return option.value ?? initial;
  return known ?? initial;
}

function typeOf(written: readonly SequenceOption[]): SequenceOptions['type'] | undefined {
  for (const option of written) {
    if (option.kind !== 'type') continue;
    const type = option.type.arrayDimensions === 0 ? TYPES.get(option.type.name) : undefined;
    if (type !== undefined) return type;
    throw invalid('sequence type must be smallint, integer, or bigint');
  }
  return undefined;
}

function cycleOf(written: readonly SequenceOption[]): boolean | undefined {
  for (const option of written) if (option.kind === 'cycle') return option.value;
  return undefined;
}

function refuseTwice(written: readonly SequenceOption[]): void {
  const seen = new Set<string>();
  for (const { kind, span } of written) {
    if (seen.has(kind)) {
      throw new StreamError('SQL_SYNTAX', 'conflicting or redundant options', { at: span });
    }
    seen.add(kind);
  }
}

const invalid = (message: string): StreamError => new StreamError('SQL_INVALID_OPTION', message);
