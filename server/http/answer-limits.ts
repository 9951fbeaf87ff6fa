import type { AnswerLimits } from './answer.ts';
import type { Door } from './door.ts';

/** Of an answer with an end. */
export function finiteAnswer(
  { limits, metrics }: Door,
  heldBytesMax = limits.answerBufferBytesMax,
): AnswerLimits {
  return {
    heldBytesMax,
    bytesMax: limits.resultBytesMax,
    stallMsMax: limits.answerStallMsMax,
    farewell: undefined,
    onStall: () => metrics.slowReaders.inc({ door: 'http' }),
  };
}

/** Of a subscription, which goes on until its reader leaves. */
export function endlessAnswer(
  { limits, metrics }: Door,
  door: 'sse' | 'sql',
  farewell: string,
): AnswerLimits {
  return {
    heldBytesMax: 0,
    bytesMax: Number.POSITIVE_INFINITY,
    stallMsMax: limits.answerStallMsMax,
    farewell,
    onStall: () => metrics.slowReaders.inc({ door }),
  };
}
