import { assertNever } from '../../sql/base/assert.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { PhysicalWindowCall } from '../plan/physical-node.ts';
import { cellReader, type ReadCell } from '../state/stored-cell.ts';
import type { CallColumns, Extent, Reach, WindowCall } from './window-call.ts';
import { DatumColumn, Int64Column } from './window-output.ts';
import type { Stretch } from './window-stretch.ts';
import { valueCall } from './window-value.ts';

type Ranking = PhysicalWindowCall & { readonly kind: 'ranking' };

const never: Reach = () => false;
const always: Reach = () => true;
const nothingKept = { forget: (): void => {}, bytes: (): number => 0 };

/** Functions that count rows: where a row stands, not what is in it. */
export function rankingCall(call: Ranking, columns: CallColumns): WindowCall {
  switch (call.name) {
    case 'row_number': {
      const output = new Int64Column();
      return numbers(output, (stretch, position) => {
        for (let index = stretch.from; index < stretch.to; index++) {
          output.set(position + index - stretch.from, stretch.base + index + 1);
        }
      });
    }
    case 'rank':
      return ranks(columns, (stretch, index) => stretch.base + index + 1);
    case 'dense_rank':
      return ranks(columns, (_, __, previous) => previous + 1);
    case 'percent_rank':
      return fractions((stretch, index) => {
        const start = stretch.groupStart(stretch.groupOf(index));
        return stretch.length <= 1 ? 0 : start / (stretch.length - 1);
      });
    case 'cume_dist':
      return fractions(
        (stretch, index) => stretch.groupStart(stretch.groupOf(index) + 1) / stretch.length,
      );
    case 'ntile':
      return ntile(call, columns);
    case 'lag':
    case 'lead':
    case 'first_value':
    case 'last_value':
    case 'nth_value':
      return valueCall({ ...call, name: call.name }, columns);
    default:
      return assertNever(call.name);
  }
}

/** Numbers that depend on the rows before: those from the change on are counted again. */
function numbers(output: Int64Column, compute: WindowCall['compute']): WindowCall {
  return {
    extent: 'from-change',
    reachesAhead: never,
    reachesBack: always,
    looksBackAt: never,
    output,
    compute,
    ...nothingKept,
  };
}

/** @param next  the rank of a row that is no peer of the one before it, which has the rank `previous`. */
function ranks(
  columns: CallColumns,
  next: (stretch: Stretch, index: number, previous: number) => number,
): WindowCall {
  const output = new Int64Column();
  const own = cellReader(columns.own);
  return numbers(output, (stretch, position) => {
    const { from, to } = stretch;
    let rank = from === 0 ? 0 : Number(own(stretch.rowAt(from - 1)));
    for (let index = from; index < to; index++) {
      if (index === 0 || !stretch.isPeerOfPrevious(index)) rank = next(stretch, index, rank);
      output.set(position + index - from, rank);
    }
  });
}

const wholePartition: { readonly extent: Extent; readonly reachesAhead: Reach } & Pick<
  WindowCall,
  'reachesBack' | 'looksBackAt' | 'forget' | 'bytes'
> = {
  extent: 'partition',
  reachesAhead: always,
  reachesBack: always,
  looksBackAt: always,
  ...nothingKept,
};

function fractions(value: (stretch: Stretch, index: number) => number): WindowCall {
  const output = new DatumColumn({ kind: 'double' });
  return {
    ...wholePartition,
    output,
    compute: (stretch, position) => {
      for (let index = 0; index < stretch.length; index++) {
        output.set(position + index, value(stretch, index));
      }
    },
  };
}

/**
 * The buckets of PostgreSQL's ntile (windowfuncs.c): the number of buckets is read once, in the first row where it is
 * not NULL; earlier buckets take one row more where the rows do not divide evenly.
 */
function ntile(call: Ranking, columns: CallColumns): WindowCall {
  const output = new DatumColumn({ kind: 'integer' });
  const [argument] = call.args;
  const read: ReadCell = argument === undefined ? () => null : columns.read(argument);
  return {
    ...wholePartition,
    output,
    compute: (stretch, position, report) => {
      let bucket = 0;
      let inBucket = 0;
      let size = 0;
      let larger = 0;
      for (let index = 0; index < stretch.length; index++) {
        if (bucket === 0) {
          const buckets = read(stretch.rowAt(index)) as number | null;
          output.set(position + index, null);
          if (buckets === null) continue;
          if (buckets <= 0) {
            const message = 'argument of ntile must be greater than zero';
            report(position + index, new StreamError('VALUE_INVALID_NTILE', message));
            continue;
          }
          bucket = 1;
          size = Math.max(1, Math.floor(stretch.length / buckets));
          larger = stretch.length < buckets ? 0 : stretch.length % buckets;
          if (larger !== 0) size++;
        }
        inBucket++;
        if (inBucket > size) {
          if (larger !== 0 && bucket === larger) {
            larger = 0;
            size--;
          }
          bucket++;
          inBucket = 1;
        }
        output.set(position + index, bucket);
      }
    },
  };
}
