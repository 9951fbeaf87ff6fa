/** What the ALTER statements do. */

import type { Expression, Identifier, TypeName } from './ast.ts';
import type {
  ColumnDefinition,
  Identity,
  Option,
  SequenceOption,
  TableConstraint,
} from './ast-relation.ts';

export type AlterTypeAction =
  | {
      readonly kind: 'add-value';
      readonly ifNotExists: boolean;
      readonly label: string;
      readonly neighbor: { readonly side: 'before' | 'after'; readonly label: string } | undefined;
    }
  | { readonly kind: 'rename-value'; readonly from: string; readonly to: string }
  | { readonly kind: 'rename'; readonly to: Identifier }
  | { readonly kind: 'set-schema'; readonly to: Identifier };

export type AlterDomainAction =
  | { readonly kind: 'set-default'; readonly default: Expression | undefined }
  | { readonly kind: 'set-not-null' | 'drop-not-null' }
  | {
      readonly kind: 'add-check';
      readonly name: Identifier | undefined;
      readonly expression: Expression;
    }
  | { readonly kind: 'drop-constraint'; readonly name: Identifier; readonly ifExists: boolean }
  | { readonly kind: 'rename-constraint'; readonly name: Identifier; readonly to: Identifier }
  | { readonly kind: 'validate-constraint'; readonly name: Identifier }
  | { readonly kind: 'rename'; readonly to: Identifier };

export type AlterAction =
  | {
      readonly kind: 'add-column';
      readonly column: ColumnDefinition;
      readonly ifNotExists: boolean;
    }
  | { readonly kind: 'drop-column'; readonly column: Identifier; readonly ifExists: boolean }
  | { readonly kind: 'rename-column'; readonly column: Identifier; readonly to: Identifier }
  | { readonly kind: 'rename'; readonly to: Identifier }
  | {
      readonly kind: 'alter-type';
      readonly column: Identifier;
      readonly type: TypeName;
      /** Over the columns as they were. */
      readonly using?: Expression | undefined;
    }
  | {
      readonly kind: 'set-default';
      readonly column: Identifier;
      readonly default: Expression | undefined;
    }
  | { readonly kind: 'set-not-null' | 'drop-not-null'; readonly column: Identifier }
  | {
      readonly kind: 'add-identity';
      readonly column: Identifier;
      readonly identity: Identity;
      /** Filled in when its sequence has a name. */
      readonly default?: Expression | undefined;
    }
  | {
      readonly kind: 'set-identity';
      readonly column: Identifier;
      /** Undefined: as it is. */
      readonly always: boolean | undefined;
      readonly options: readonly SequenceOption[];
    }
  | { readonly kind: 'drop-identity'; readonly column: Identifier; readonly ifExists: boolean }
  | { readonly kind: 'drop-expression'; readonly column: Identifier; readonly ifExists: boolean }
  | { readonly kind: 'add-constraint'; readonly constraint: TableConstraint }
  | { readonly kind: 'rename-constraint'; readonly name: Identifier; readonly to: Identifier }
  | { readonly kind: 'drop-constraint'; readonly name: Identifier; readonly ifExists: boolean }
  /** `SKIP RECORD`: the stream goes on after the record that it stopped at. */
  | { readonly kind: 'skip-record' }
  | { readonly kind: 'set-options'; readonly options: readonly Option[] }
  | { readonly kind: 'reset-options'; readonly keys: readonly string[] };
