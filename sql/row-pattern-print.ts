/** Bound row patterns as text, for EXPLAIN. */
import { assertNever } from './base/assert.ts';
import type { BoundPattern, MatchShape } from './row-pattern.ts';

export function printPattern({
  pattern,
  variables,
}: Pick<MatchShape, 'pattern' | 'variables'>): string {
  const print = (part: BoundPattern): string => {
    switch (part.kind) {
      case 'variable':
        return variables[part.variable] ?? '?';
      case 'sequence':
        return `(${part.items.map(print).join(' ')})`;
      case 'alternation':
        return `(${part.items.map(print).join(' | ')})`;
      case 'permute':
        return `permute(${part.items.map(print).join(', ')})`;
      case 'empty':
        return '()';
      case 'start':
        return '^';
      case 'end':
        return '$';
      case 'exclusion':
        return `{- ${print(part.pattern)} -}`;
      case 'quantified': {
        const inside = print(part.pattern);
        const operand = part.pattern.kind === 'quantified' ? `(${inside})` : inside;
        return `${operand}{${part.min},${part.max ?? ''}}${part.reluctant ? '?' : ''}`;
      }
      default:
        return assertNever(part);
    }
  };
  return print(pattern);
}
