/** A function in JavaScript as one of the registry's: its calls, and what their failures say. */
import type { Datum } from '../../sql/base/datum.ts';
import { StreamError } from '../../sql/base/error.ts';
import type { ScriptFunction } from '../../sql/bind-create-function.ts';
import { signatureOf } from '../../sql/bind-routine.ts';
import type { ScalarFunction } from '../../sql/function/scalar-function.ts';
import { type Argument, CALL_STEPS_MAX, MEMORY_BYTES_MAX, type Outcome } from './sandbox.ts';
import type { ScriptEngine } from './script-engine.ts';
import { argumentWriter, formOf, resultReader } from './script-value.ts';

/** Rows that one call may give. */
export const ROWS_PER_CALL_MAX = 100_000;
/** Of what a failing function says, so much is kept. */
const MESSAGE_CHARACTERS_MAX = 500;

/**
 * @param isNew  false for a body that was found good before.
 * @throws StreamError SQL_INVALID_FUNCTION for a body that is no program.
 */
export function compileScript(
  engine: ScriptEngine,
  source: ScriptFunction,
  isNew: boolean,
): ScalarFunction {
  const { parameters, result, isSet, strict, body, name } = source;
  const signature = signatureOf(source);
  const script = engine.script({
    names: parameters.map((parameter, i) => parameter.name ?? `$${i + 1}`),
    forms: parameters.map(({ type }) => formOf(type, false)),
    result: formOf(result, true),
    body,
    rowsMax: isSet ? ROWS_PER_CALL_MAX : undefined,
  });
  const refused = isNew ? script.check() : undefined;
  if (refused !== undefined) throw notAProgram(refused);
  const writers = parameters.map(({ type }) => argumentWriter(type));
  const read = resultReader(result);
  const args: Argument[] = new Array(writers.length);
  const evaluate = (...values: readonly (Datum | null)[]): Datum | null => {
    for (let i = 0; i < writers.length; i++) args[i] = writers[i]?.(values[i] ?? null) ?? null;
    const outcome = script.call(args);
    if (outcome.kind !== 'value') throw failure(signature, outcome);
    return outcome.value === undefined ? null : readResult(signature, read, outcome.value);
  };
  return {
    name,
    parameters: parameters.map(({ type }) => type),
    result,
    // The registry's functions take fixed arguments, which the binder has seen to.
    evaluate: evaluate as ScalarFunction['evaluate'],
    strict,
    description: 'a function in JavaScript',
    family: 'system',
  };
}

function readResult(
  signature: string,
  read: (value: number | string) => Datum,
  value: number | string,
): Datum {
  try {
    return read(value);
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    const detail = `In the result of the function ${signature}.`;
    throw new StreamError(error.code, error.message, { detail, cause: error });
  }
}

type Failure = Exclude<Outcome, { readonly kind: 'value' }>;

function notAProgram(outcome: Outcome): StreamError {
  if (outcome.kind !== 'thrown') return failure('the function', outcome as Failure);
  return new StreamError('SQL_INVALID_FUNCTION', shorten(`${outcome.name}: ${outcome.message}`), {
    hint: 'The body is what stands between the braces of a JavaScript function.',
  });
}

function failure(signature: string, outcome: Failure): StreamError {
  if (outcome.kind === 'limit') return limitFailure(signature, outcome);
  const { name, message } = outcome;
  if (name === 'ResultError') {
    return new StreamError('FUNCTION_RESULT', `function ${signature}: ${message}`);
  }
  const text = name === '' ? message : `${name}: ${message}`;
  return new StreamError('FUNCTION_FAILED', shorten(`function ${signature} failed: ${text}`));
}

const LIMIT_TEXTS = {
  time: `takes more than ${CALL_STEPS_MAX} steps`,
  memory: `needs more than ${MEMORY_BYTES_MAX / 1024 / 1024} MB of memory`,
  stack: 'calls itself too deep',
} as const;

function limitFailure(
  signature: string,
  { of }: Outcome & { readonly kind: 'limit' },
): StreamError {
  return new StreamError('FUNCTION_LIMIT', `function ${signature} ${LIMIT_TEXTS[of]}`);
}

function shorten(text: string): string {
  return text.length <= MESSAGE_CHARACTERS_MAX ? text : `${text.slice(0, MESSAGE_CHARACTERS_MAX)}…`;
}
