/** A failed row as a row of its view's error relation. */
import type { Row } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import { type JsonValue, jsonToText } from '../../sql/base/json.ts';
import type { Schema } from '../../sql/base/type.ts';
import type { BoundExpr } from '../../sql/expression.ts';
import { printExpression } from '../../sql/expression-print.ts';
import { datumToJson } from '../../sql/function/json-value.ts';
import { compileScalar } from '../kernel/scalar.ts';
import type { PhysicalNode } from '../plan/physical-node.ts';
import type { RowFailure } from './graph.ts';
import type { RecordPlace } from './record-place.ts';

/** Characters of the failed row as JSON that are kept; longer values are cut. */
export const ERROR_ROW_CHARACTERS_MAX = 8 * 1024;
/** Characters that are kept of one value of a row that is too long. */
const CUT_VALUE_CHARACTERS = 128;
/** Characters of a message, or of an expression, that are kept. */
export const ERROR_TEXT_CHARACTERS_MAX = 1024;

/** In the columns of ROW_ERROR_SCHEMA. Equal failures give equal rows, so that they cancel when they are taken back. */
export function errorRowOf(failure: RowFailure, place: RecordPlace | undefined): Row {
  const { node, error, batch, row, schema } = failure;
  const values = batch.row(row);
  const image = rowImage(schema, values);
  return [
    node.kind,
    shortened(failedExpression(node, values)),
    error.sqlstate,
    shortened(error.message),
    image.text,
    image.cut,
    place?.topic ?? null,
    place?.partition ?? null,
    place === undefined ? null : BigInt(place.offset),
  ];
}

export function shortened<Text extends string | null>(text: Text): Text | string {
  if (text === null || text.length <= ERROR_TEXT_CHARACTERS_MAX) return text;
  return `${text.slice(0, ERROR_TEXT_CHARACTERS_MAX).toWellFormed()}…`;
}

/** The row as a JSON object by column; columns of one name (pairs of a join) are numbered. */
function rowImage(schema: Schema, row: Row): { readonly text: string; readonly cut: boolean } {
  const members = new Map<string, JsonValue>();
  schema.forEach(({ name, type }, i) => {
    members.set(freeName(members, name), datumToJson(row[i] ?? null, type));
  });
  const text = jsonToText(members);
  if (text.length <= ERROR_ROW_CHARACTERS_MAX) return { text, cut: false };
  const cut = new Map<string, JsonValue>();
  let room = ERROR_ROW_CHARACTERS_MAX;
  for (const [name, value] of members) {
    const whole = jsonToText(value);
    const short =
      whole.length <= CUT_VALUE_CHARACTERS
        ? value
        : `${(typeof value === 'string' ? value : whole).slice(0, CUT_VALUE_CHARACTERS).toWellFormed()}…`;
    room -= name.length + Math.min(whole.length, CUT_VALUE_CHARACTERS);
    if (room < 0) break;
    cut.set(name, short);
  }
  return { text: jsonToText(cut), cut: true };
}

function freeName(taken: ReadonlyMap<string, unknown>, name: string): string {
  if (!taken.has(name)) return name;
  for (let n = 2; ; n++) if (!taken.has(`${name}_${n}`)) return `${name}_${n}`;
}

interface Candidate {
  readonly text: string;
  readonly evaluate: (row: Row) => unknown;
}

/** Per node, its expressions on their own; compiled when the first row fails. */
const candidates = new WeakMap<PhysicalNode, readonly Candidate[]>();

/** The expression that fails; null where several aggregates share the blame. */
function failedExpression(node: PhysicalNode, row: Row): string | null {
  let known = candidates.get(node);
  if (known === undefined) {
    known = expressionsOf(node);
    candidates.set(node, known);
  }
  if (node.kind === 'aggregate') return known.length === 1 ? (known[0]?.text ?? null) : null;
  for (const { text, evaluate } of known) {
    try {
      evaluate(row);
    } catch (error) {
      if (error instanceof StreamError) return text;
      throw error;
    }
  }
  return null;
}

function expressionsOf(node: PhysicalNode): readonly Candidate[] {
  const [left, right] = node.inputs;
  const names = [[...(left?.schema ?? []), ...(right?.schema ?? [])]];
  const candidate = (expression: BoundExpr): Candidate => ({
    text: printExpression(expression, names),
    evaluate: compileScalar(expression),
  });
  switch (node.kind) {
    case 'project':
      return [...(node.where === undefined ? [] : [node.where]), ...node.expressions].map(
        candidate,
      );
    case 'join':
      return node.residual === undefined ? [] : [candidate(node.residual)];
    case 'aggregate':
      return node.aggregates.map(({ fn, args }) => ({
        text: `${fn.name}(${args.map((arg) => left?.schema[arg]?.name ?? '').join(', ')})`,
        evaluate: () => undefined,
      }));
    default:
      return [];
  }
}
