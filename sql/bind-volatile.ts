/** Functions whose value is not fixed by their arguments: the clock, random numbers, the session's time zone. */
import { StreamError } from './base/error.ts';
import { toLocal, utc } from './base/timezone.ts';
import { type BindContext, sessionZone } from './bind-context.ts';
import { takeTemporal } from './bind-temporal.ts';
import type { BoundExpr } from './expression.ts';
import { mapOperands } from './expression-map.ts';
import { stableValue } from './function/now.ts';
import type { ScalarFunction } from './function/scalar-function.ts';
import { withSession } from './function/session.ts';
import { zonedFunction } from './function/zoned.ts';
import { mapExpressions, mapInputs } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';

/** Replaces the clock by the statement's time, or refuses it where the result must hold for ever. */
export function settlePlan(plan: LogicalNode, context: BindContext): LogicalNode {
  const timed =
    plan.kind === 'filter' && context.purpose !== 'pull' ? takeTemporal(plan, context) : plan;
  const inputs = mapInputs(timed, (input) => settlePlan(input, context));
  return mapExpressions(inputs, (expression) => settleExpression(expression, context));
}

/** @throws StreamError SQL_NOT_INCREMENTAL. */
export function settleExpression(expression: BoundExpr, context: BindContext): BoundExpr {
  const next = mapOperands(expression, (operand) => settleExpression(operand, context));
  if (next.kind === 'subquery') {
    const plan = settlePlan(next.plan, context);
    return plan === next.plan ? next : { ...next, plan };
  }
  if (next.kind === 'cast' && next.fn !== undefined) {
    const fn = zoned(next.fn, context);
    return fn === undefined ? next : { ...next, fn };
  }
  if (next.kind !== 'call') return next;
  const volatility = next.fn.volatility ?? 'immutable';
  if (volatility === 'immutable') {
    const fn = zoned(next.fn, context);
    return fn === undefined ? next : { ...next, fn };
  }
  if (context.purpose !== 'pull') throw refuse(next.fn.name, volatility, next);
  const { sequences } = context.statement;
  if (sequences !== undefined) {
    const fn = withSession(next.fn, sequences);
    if (fn !== undefined) return { ...next, fn };
  }
  if (volatility === 'stable' && next.args.length === 0) {
    const { nowMicros } = context.statement;
    const value = stableValue(next.fn.name, nowMicros, toLocal(sessionZone(context), nowMicros));
    return { kind: 'literal', value, type: next.type, span: next.span };
  }
  return next;
}

function zoned(fn: ScalarFunction, context: BindContext): ScalarFunction | undefined {
  const zone = sessionZone(context);
  return zone === utc ? undefined : zonedFunction(fn, zone);
}

function refuse(name: string, volatility: 'stable' | 'volatile', call: BoundExpr): StreamError {
  if (volatility === 'stable') {
    return new StreamError(
      'SQL_NOT_INCREMENTAL',
      `${name}() changes with time, so a result that depends on it cannot be kept up to date by changes of its input`,
      {
        at: call.span,
        hint: "A view can compare it with a row's time (WHERE time > now() - INTERVAL '1 hour'); anything else belongs in the query that reads the view.",
      },
    );
  }
  return new StreamError(
    'SQL_NOT_INCREMENTAL',
    `${name}() gives another value at every call, so what was computed for a row could not be taken back when the row changes`,
    {
      at: call.span,
      hint: 'Compute it where the record is produced, or use a DEFAULT of the column.',
    },
  );
}
