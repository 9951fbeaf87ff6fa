/** `WITH (key = value, …)` as text. */

import type { Expression } from './ast.ts';
import type { Option } from './ast-relation.ts';
import { StreamError } from './base/error.ts';

/** @throws StreamError SQL_INVALID_OPTION for a value that is no literal, or a key that comes twice. */
export function bindOptions(options: readonly Option[]): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const { key, value, span } of options) {
    if (map.has(key)) {
      throw new StreamError('SQL_INVALID_OPTION', `option "${key}" is given twice`, { at: span });
    }
    const text = optionText(value);
    if (text === undefined) {
      throw new StreamError('SQL_INVALID_OPTION', `option "${key}" takes a literal`, {
        at: value.span,
      });
    }
    map.set(key, text);
  }
  return map;
}

function optionText(value: Expression): string | undefined {
  switch (value.kind) {
    case 'string':
    case 'typed-literal':
      return value.value;
    case 'number':
      return value.text;
    case 'boolean':
      return String(value.value);
    case 'column':
      return value.name.parts.map((part) => part.name).join('.');
    case 'unary': {
      const operand = value.op === '-' ? optionText(value.operand) : undefined;
      return operand === undefined ? undefined : `-${operand}`;
    }
    default:
      return undefined;
  }
}

/** A whole number from 1 on. @throws StreamError SQL_INVALID_OPTION. */
export function countOption(options: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = options.get(key);
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new StreamError('SQL_INVALID_OPTION', `invalid value for option "${key}": "${text}"`, {
    hint: 'Expected a whole number from 1 on.',
  });
}
