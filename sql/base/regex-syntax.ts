/**
 * PostgreSQL's advanced regular expressions (re_syntax) as a tree. Case, newline and word rules are
 * resolved here, so that what reads the tree needs no flags but ignoreCase.
 */
import { StreamError } from './error.ts';

/** Inclusive ranges of code points, or one of the shorthand classes. */
export type ClassItem =
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly kind: 'named'; readonly name: CharacterClass; readonly negated: boolean };

export type CharacterClass =
  | 'digit'
  | 'space'
  | 'word'
  | 'alpha'
  | 'alnum'
  | 'upper'
  | 'lower'
  | 'punct'
  | 'cntrl'
  | 'graph'
  | 'print'
  | 'blank'
  | 'xdigit'
  | 'ascii';

export type RegexNode =
  | { readonly kind: 'empty' }
  | { readonly kind: 'char'; readonly code: number }
  | { readonly kind: 'set'; readonly items: readonly ClassItem[]; readonly negated: boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'branch'; readonly options: readonly RegexNode[] }
  | {
      readonly kind: 'repeat';
      readonly body: RegexNode;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
      /** Written `{m}`, which has no preference of its own, as even `{m,m}` has. */
      readonly exact: boolean;
    }
  | { readonly kind: 'group'; readonly body: RegexNode; readonly capture: number | undefined }
  | {
      readonly kind: 'look';
      readonly body: RegexNode;
      readonly ahead: boolean;
      readonly negated: boolean;
    }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'back-reference'; readonly capture: number };

export type Assertion =
  | 'text-start'
  | 'text-end'
  | 'line-start'
  | 'line-end'
  | 'word-start'
  | 'word-end'
  | 'word-boundary'
  | 'not-word-boundary';

export interface Regex {
  readonly root: RegexNode;
  readonly captures: number;
  readonly ignoreCase: boolean;
  readonly hasBackReference: boolean;
}

export function regexError(reason: string): StreamError {
  return new StreamError('VALUE_INVALID_REGEX', `invalid regular expression: ${reason}`);
}
