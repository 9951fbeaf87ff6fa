/** EMIT: which changes of a query's rows come out, and when. */
import type { Emit, Expression } from './ast.ts';
import { assertNever } from './base/assert.ts';
import type { QueryPlace } from './bind-context.ts';
import { refuseRetention } from './bind-retention.ts';
import { Scope } from './bind-scope.ts';
import { intervalMicros, positiveLength } from './bind-window-table.ts';
import type { LogicalNode } from './logical-plan.ts';

export function bindEmit(
  input: LogicalNode,
  emit: Emit | undefined,
  place: QueryPlace,
): LogicalNode {
  if (emit === undefined) return input;
  const { schema } = input;
  switch (emit.kind) {
    case 'changes':
      return input;
    case 'final':
    case 'window-close':
      refuseRetention(input, emit);
      return { kind: 'emit-final', input, schema };
    case 'every':
      return { kind: 'emit-every', input, micros: lengthOf(emit.interval, emit, place), schema };
    case 'after-watermark': {
      const micros = emit.interval && lengthOf(emit.interval, emit, place);
      refuseRetention(input, emit);
      return { kind: 'emit-every', input, micros, afterWatermark: true, schema };
    }
    default:
      return assertNever(emit);
  }
}

function lengthOf(interval: Expression, emit: Emit, place: QueryPlace): bigint {
  const { context, parent, commonTables } = place;
  const scope = new Scope({ context, commonTables, parent, tables: [], columns: [] });
  return positiveLength(intervalMicros(interval, scope), emit);
}
