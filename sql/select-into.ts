/** `SELECT … INTO t`: the clause stands in the first SELECT of a query, and the whole query's rows go there. */
import type { QualifiedName, Query, QueryBody } from './ast.ts';

export interface SelectInto {
  readonly name: QualifiedName;
  /** Without the clause. */
  readonly query: Query;
}

/** Undefined for a query that answers its rows. */
export function selectInto(query: Query): SelectInto | undefined {
  const found = withoutInto(query.body);
  return found && { name: found.name, query: { ...query, body: found.body } };
}

function withoutInto(
  body: QueryBody,
): { readonly name: QualifiedName; readonly body: QueryBody } | undefined {
  switch (body.kind) {
    case 'select': {
      const { into, ...select } = body;
      return into && { name: into, body: select };
    }
    case 'set-operation': {
      const left = withoutInto(body.left);
      return left && { name: left.name, body: { ...body, left: left.body } };
    }
    default:
      return undefined;
  }
}
