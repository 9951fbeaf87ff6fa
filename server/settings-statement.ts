/** SET and RESET. */

import type { Expression } from '../sql/ast.ts';
import type { Statement } from '../sql/ast-statement.ts';
import { StreamError } from '../sql/base/error.ts';
import { withSpan } from '../sql/coerce.ts';
import type { StatementResult } from './database.ts';
import { okResult } from './row-result.ts';
import { defaultSettings, readSetting, settingDefault, settingKey, shownName } from './settings.ts';

export interface Changed {
  readonly result: StatementResult;
  /** The settings that the statement gave a value. */
  readonly keys: readonly string[];
}

/** @throws StreamError as `readSetting`. */
export function setSetting(
  settings: Map<string, string>,
  statement: Statement & { readonly kind: 'set' },
): Changed {
  const { name, values, span } = statement;
  const key = settingKey(name);
  if (values === 'default') {
    return {
      ...resetSetting(settings, key),
      result: okResult('SET', `${shownName(key)} has its default`),
    };
  }
  const text = values.map(settingText).join(', ');
  const value = withSpan(span, () => readSetting(key, text));
  settings.set(key, value);
  return { result: okResult('SET', `${shownName(key)} = ${value}`), keys: [key] };
}

function settingText(value: Expression): string {
  switch (value.kind) {
    case 'string':
      return value.value;
    case 'number':
      return value.text;
    case 'boolean':
      return value.value ? 'on' : 'off';
    case 'column':
      return value.name.parts.map((part) => part.name).join('.');
    case 'unary':
      return `${value.op}${settingText(value.operand)}`;
    default:
      throw new StreamError('SQL_SYNTAX', 'a setting is a literal or a name', { at: value.span });
  }
}

export function resetSetting(settings: Map<string, string>, name: string): Changed {
  if (name === 'all') {
    const keys = [...settings.keys()];
    settings.clear();
    for (const [key, value] of defaultSettings()) settings.set(key, value);
    return { result: okResult('RESET', 'every setting has its default'), keys };
  }
  const key = settingKey(name);
  const value = settingDefault(key);
  if (value === undefined) settings.delete(key);
  else settings.set(key, value);
  return { result: okResult('RESET', `${shownName(key)} = ${value ?? ''}`), keys: [key] };
}
