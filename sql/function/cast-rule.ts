import type { Datum } from '../base/datum.ts';
import type { SqlType, TypeKind } from '../base/type.ts';
import type { CastContext } from './registry.ts';

/** One row of the table: `convert` builds the conversion for the target's modifiers. */
export interface CastRule {
  readonly from: TypeKind;
  readonly to: TypeKind;
  readonly context: CastContext;
  readonly convert: (to: SqlType, context: CastContext) => (value: never) => Datum | null;
  readonly inline?: (argument: string) => string;
  readonly duckdb?: (argument: string) => string;
}
