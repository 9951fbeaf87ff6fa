import type { BindContext } from './bind-context.ts';
import { bindCreateAggregate } from './bind-create-aggregate.ts';
import { bindBody } from './bind-routine.ts';
import { parseStatement } from './parser.ts';
import type { Routine } from './routine.ts';

/** Binds whatever a routine's definition calls, for who listens to that. */
export function bindRoutineAgain(routine: Routine, context: BindContext): void {
  const { body, sql } = routine;
  const statement = parseStatement(sql);
  if (statement.kind === 'create-aggregate') bindCreateAggregate(statement, context);
  if (body.kind === 'expression') bindBody(routine, body, statement.span, context);
}
