/** EMIT: which changes of a query's rows come out, and when. */
import type { Emit } from './ast.ts';
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
    case 'every': {
      const { context, parent, commonTables } = place;
      const scope = new Scope({ context, commonTables, parent, tables: [], columns: [] });
      const micros = positiveLength(intervalMicros(emit.interval, scope), emit);
      return { kind: 'emit-every', input, micros, schema };
    }
    default:
      return assertNever(emit);
  }
}
