/** jsonb_set_lax(). */

import { StreamError } from '../base/error.ts';
import type { SqlType } from '../base/type.ts';
import { invalidParameter, types } from './define.ts';
import { deletePath, type Path, setPath } from './json.ts';
import type { ScalarFunction } from './scalar-function.ts';

function unknownTreatment(): StreamError {
  return invalidParameter(
    'null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"',
  );
}

/** jsonb_set() with a say in what a NULL value means. */
function setLax(
  text: string | null,
  path: Path | null,
  fresh: string | null,
  create: boolean | null = true,
  treatment: string | null = 'use_json_null',
): string | null {
  if (text === null || path === null || create === null) return null;
  if (treatment === null) throw unknownTreatment();
  if (fresh !== null) return setPath(text, path, fresh, create);
  switch (treatment) {
    case 'raise_exception':
      throw new StreamError('VALUE_NULL_NOT_ALLOWED', 'JSON value must not be null');
    case 'use_json_null':
      return setPath(text, path, 'null', create);
    case 'delete_key':
      return deletePath(text, path);
    case 'return_target':
      return text;
    default:
      throw unknownTreatment();
  }
}

const parameters: readonly SqlType[] = [
  types.jsonb,
  types['text[]'],
  types.jsonb,
  types.boolean,
  types.text,
];

export const jsonSetLaxFunctions: readonly ScalarFunction[] = [3, 4, 5].map((count) => ({
  name: 'jsonb_set_lax',
  parameters: parameters.slice(0, count),
  result: types.jsonb,
  strict: false,
  evaluate: setLax,
  description:
    'document with the value at a path replaced; the last word says what NULL does (use_json_null, delete_key, return_target, raise_exception)',
  family: 'json',
}));
