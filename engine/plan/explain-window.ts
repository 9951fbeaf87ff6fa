import { toText } from '../../sql/base/text-output.ts';
import type { SqlType } from '../../sql/base/type.ts';
import { columnNames, orderNames } from './explain-column.ts';
import type {
  PhysicalFrame,
  PhysicalFrameBound,
  PhysicalNode,
  PhysicalWindowCall,
  WindowArgument,
} from './physical-node.ts';

type WindowNode = PhysicalNode & { readonly kind: 'window' };

/** Frames that a function without a frame in the text has. */
const DEFAULT_FRAME = 'range between unbounded preceding and current row';

/** Functions that look at where a row stands, whatever the frame. */
const unframed: ReadonlySet<string> = new Set([
  'row_number',
  'rank',
  'dense_rank',
  'percent_rank',
  'cume_dist',
  'ntile',
  'lag',
  'lead',
]);

export function explainWindow(node: WindowNode, input: PhysicalNode | undefined): string {
  const partition =
    node.partitionBy.length === 0 ? '' : ` per (${columnNames(input, node.partitionBy)})`;
  const order = node.orderBy.length === 0 ? '' : ` order by (${orderNames(input, node.orderBy)})`;
  const key = node.orderBy[0];
  const keyType = key === undefined ? undefined : input?.schema[key.column]?.type;
  const calls = node.calls.map((call) => callText(call, input, keyType));
  return `window${partition}${order}: ${calls.join(', ')}; keeps: all rows in order with their values`;
}

function callText(
  call: PhysicalWindowCall,
  input: PhysicalNode | undefined,
  keyType: SqlType | undefined,
): string {
  const args = call.args.map((arg) => argumentText(arg, input)).join(', ');
  const frame = frameText(call.frame, keyType);
  const suffix = frame === DEFAULT_FRAME ? '' : ` ${frame}`;
  if (call.kind === 'ranking') {
    const nulls = call.ignoreNulls ? ' ignore nulls' : '';
    return `${call.name}(${args})${nulls}${unframed.has(call.name) ? '' : suffix}`;
  }
  const star = call.args.length === 0 ? '*' : args;
  const filter = call.filter === undefined ? '' : ` filter (${columnNames(input, [call.filter])})`;
  return `${call.fn.name}(${star})${filter}${suffix}`;
}

function argumentText(arg: WindowArgument, input: PhysicalNode | undefined): string {
  if (arg.kind === 'column') return columnNames(input, [arg.column]);
  return typeof arg.value === 'object' && arg.value !== null ? 'constant' : String(arg.value);
}

function frameText(frame: PhysicalFrame, keyType: SqlType | undefined): string {
  const bound = (end: PhysicalFrameBound): string => {
    if (!('offset' in end)) return end.kind.replace('-', ' ');
    const offset =
      frame.unit === 'range' && keyType !== undefined
        ? offsetText(end.offset, keyType)
        : String(end.offset);
    return `${offset} ${end.kind}`;
  };
  const exclude = frame.exclude === 'no others' ? '' : ` exclude ${frame.exclude}`;
  return `${frame.unit} between ${bound(frame.start)} and ${bound(frame.end)}${exclude}`;
}

/** Times are moved by intervals, numbers by numbers. */
function offsetText(offset: Parameters<typeof toText>[0], keyType: SqlType): string {
  if (typeof offset === 'object' && 'micros' in offset) return toText(offset, { kind: 'interval' });
  return toText(offset, keyType.kind === 'real' ? { kind: 'double' } : keyType);
}
