/** Expressions written as SQL, with `$1`, `$2`, … where the arguments of a call go. */
import type { Expression } from '../ast.ts';
import type { Span } from '../base/error.ts';
import { parseExpression } from '../parser.ts';
import type { Read } from './entry.ts';

/** @param text  an argument that may be left out must not be in it: it is NULL when it is. */
export function template(text: string): Read {
  let parsed: Expression | undefined;
  return (args, { span }) => {
    parsed ??= parseExpression(text);
    return filled(parsed, args, span) as Expression;
  };
}

/** The same once more for every call: its text follows from the call. */
export const fill = (text: string, args: readonly Expression[], span: Span): Expression =>
  filled(parseExpression(text), args, span) as Expression;

/** A copy of a tree in which the arguments stand for the parameters, and every place is that of the call. */
function filled(node: unknown, args: readonly Expression[], span: Span): unknown {
  if (Array.isArray(node)) return node.map((part) => filled(part, args, span));
  if (typeof node !== 'object' || node === null) return node;
  if ('kind' in node && node.kind === 'parameter' && 'index' in node) {
    return args[Number(node.index) - 1] ?? { kind: 'null', span };
  }
  return Object.fromEntries(
    Object.entries(node).map(([name, part]) => [
      name,
      name === 'span' ? span : filled(part, args, span),
    ]),
  );
}
