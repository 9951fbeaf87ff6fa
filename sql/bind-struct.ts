/** ksqlDB's `STRUCT(name := value, …)`, a row whose attributes have names, and `row->name`. */
import type { Expression, FunctionCall } from './ast.ts';
import { StreamError } from './base/error.ts';
import type { Column } from './base/type.ts';
import type { BindContext } from './bind-context.ts';
import { resolveUnknown } from './coerce.ts';
import type { BoundExpr } from './expression.ts';

/** @throws StreamError SQL_SYNTAX for a value without a name, SQL_DUPLICATE_COLUMN. */
export function bindStruct(
  call: FunctionCall,
  bind: (value: Expression) => BoundExpr,
  context: BindContext,
): BoundExpr {
  const items: BoundExpr[] = [];
  const fields: Column[] = [];
  for (const { name, value } of call.args) {
    if (name === undefined) {
      throw new StreamError('SQL_SYNTAX', 'a value of STRUCT has no name', {
        at: value.span,
        hint: 'Write STRUCT(name := value, …), or ROW(value, …) without names.',
      });
    }
    if (fields.some((field) => field.name === name.name)) {
      throw new StreamError('SQL_DUPLICATE_COLUMN', `attribute "${name.name}" appears twice`, {
        at: name.span,
      });
    }
    const item = resolveUnknown(bind(value), context);
    items.push(item);
    fields.push({ name: name.name, type: item.type, nullable: true });
  }
  return { kind: 'row', items, type: { kind: 'row', fields }, span: call.span };
}

/**
 * `row->name` as the attribute that it means. PostgreSQL's grammar binds `->` less tightly than arithmetic, casts and subscripts:
 * what follows the name there belongs to the whole. Undefined when no name follows the arrow.
 */
export function fieldAfterArrow(
  arrow: Expression & { readonly kind: 'binary' },
): Expression | undefined {
  if (arrow.op !== '->') return undefined;
  const attributeOf = (node: Expression): Expression | undefined => {
    switch (node.kind) {
      case 'column': {
        const [field, ...others] = node.name.parts;
        if (field === undefined || others.length > 0) return undefined;
        return { kind: 'field', operand: arrow.left, field, span: arrow.span };
      }
      case 'binary': {
        const left = attributeOf(node.left);
        return left && { ...node, left };
      }
      case 'cast':
      case 'subscript':
      case 'slice':
      case 'at-time-zone':
      case 'collate': {
        const operand = attributeOf(node.operand);
        return operand && { ...node, operand };
      }
      default:
        return undefined;
    }
  };
  return attributeOf(arrow.right);
}
