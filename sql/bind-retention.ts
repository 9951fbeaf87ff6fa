/** How long rows stay: `RETENTION` of ksqlDB's windows, and `WITH (retention = '…')` of a view. */

import type { StreamWindow } from './ast.ts';
import type { Option } from './ast-relation.ts';
import { StreamError } from './base/error.ts';
import { intervalSpan } from './base/interval.ts';
import { intervalFromText } from './base/interval-text.ts';
import type { Schema } from './base/type.ts';
import { bindOptions } from './bind-options.ts';
import { columnOf } from './bind-scope.ts';
import type { BoundExpr } from './expression.ts';
import { inputsOf } from './logical-map.ts';
import type { LogicalNode } from './logical-plan.ts';

/** Rows with windows that leave when the watermark has reached `time` + `micros`. */
export function keepWindows(input: LogicalNode, time: BoundExpr, micros: bigint): LogicalNode {
  const until = { time, micros };
  const { schema } = input;
  return { kind: 'temporal-filter', byWatermark: true, input, from: undefined, until, schema };
}

/** @throws StreamError SQL_NOT_INCREMENTAL: what is final stays, and a window that is kept for a while does not. */
export function refuseRetention(plan: LogicalNode, emit: { readonly span: Option['span'] }): void {
  if (plan.kind === 'temporal-filter' && plan.byWatermark === true) {
    throw new StreamError(
      'SQL_NOT_INCREMENTAL',
      'EMIT FINAL and AFTER WATERMARK show windows for good, and RETENTION takes them back',
      { at: emit.span, hint: "Give the view itself a retention: WITH (retention = '1 day')." },
    );
  }
  for (const input of inputsOf(plan)) refuseRetention(input, emit);
}

/** @throws StreamError VALUE_INVALID_PARAMETER for windows that would leave while rows still come into them. */
export function checkRetention(clause: StreamWindow, retention: bigint, least: bigint): void {
  if (retention >= least) return;
  throw new StreamError(
    'VALUE_INVALID_PARAMETER',
    'the retention of a window must not be shorter than its size and its grace period',
    { at: clause.retention?.span },
  );
}

const OPTIONS: readonly string[] = ['retention', 'retention_column'];

/** Options without those of a view's retention. */
export const otherOptions = (options: readonly Option[]): readonly Option[] =>
  options.filter(({ key }) => !OPTIONS.includes(key));

/**
 * `retention = '1 day'` of a materialized view: a row is there while its time in `retention_column`, which may be left out when
 * one column alone can be meant, is no longer ago by the server's clock.
 * @throws StreamError SQL_INVALID_OPTION.
 */
export function withRetention(plan: LogicalNode, options: readonly Option[]): LogicalNode {
  const own = options.filter(({ key }) => OPTIONS.includes(key));
  const [first] = own;
  if (first === undefined) return plan;
  const values = bindOptions(own);
  const text = values.get('retention');
  if (text === undefined) {
    throw new StreamError('SQL_INVALID_OPTION', 'retention_column needs a retention', {
      at: first.span,
    });
  }
  const column = timeColumn(plan.schema, values.get('retention_column')?.toLowerCase(), first);
  const type = plan.schema[column]?.type ?? { kind: 'timestamp' };
  const until = { time: columnOf(column, type), micros: lengthOf(text, first) };
  const { schema } = plan;
  return { kind: 'temporal-filter', input: plan, from: undefined, until, schema };
}

function lengthOf(text: string, { span }: Option): bigint {
  const invalid = (): StreamError =>
    new StreamError('SQL_INVALID_OPTION', `invalid value for "retention": "${text}"`, {
      at: span,
      hint: "It is a length of time without months, such as '1 day'.",
    });
  try {
    const length = intervalFromText(text);
    const micros = intervalSpan(length);
    if (length.months === 0 && micros > 0n) return micros;
  } catch (cause) {
    if (!(cause instanceof StreamError)) throw cause;
  }
  throw invalid();
}

function timeColumn(schema: Schema, name: string | undefined, { span }: Option): number {
  const times = schema.flatMap(({ type }, index) =>
    type.kind === 'timestamp' || type.kind === 'timestamptz' ? [index] : [],
  );
  const wanted = name ?? (times.length === 1 ? undefined : 'window_end');
  const found = times.filter((index) => wanted === undefined || schema[index]?.name === wanted);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new StreamError(
    'SQL_INVALID_OPTION',
    name === undefined
      ? 'which column says how old a row is, is not known'
      : `the view has no time column "${name}"`,
    {
      at: span,
      hint: "Name a timestamp column of the view: WITH (retention = '1 day', retention_column = 'ts').",
    },
  );
}
