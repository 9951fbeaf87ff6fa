/** Recursive queries whose rows know in which round they came. */
import type { Column } from '../base/type.ts';
import { integerType } from '../coerce.ts';
import { mapInputs } from '../logical-map.ts';
import type { LogicalNode } from '../logical-plan.ts';
import { type Domain, pick } from './domain.ts';
import { push } from './push-domain.ts';

const roundColumn: Column = { name: 'round', type: integerType, nullable: false };

/**
 * recursive(base, step)  =>  recursive(base, step for every round), where references and the step end with the number
 * of the round that they read.
 * Pays: one plan of the step works for all rounds at once, on a single copy of what else it reads; a change of that is
 * applied to the rows of all rounds.
 * Safe: the rounds are a domain for the step (see `push`), so that the rows of one never meet those of another.
 */
export function numberRounds(node: LogicalNode): LogicalNode {
  const next = mapInputs(node, numberRounds);
  if (next.kind !== 'recursive') return next;
  const { id, schema } = next;
  const width = schema.length;
  const reference: LogicalNode = {
    kind: 'recursive-reference',
    id,
    schema: [...schema, roundColumn],
  };
  const rounds = pick(reference, [width]);
  const domain: Domain = {
    node: { kind: 'distinct', input: rounds, schema: rounds.schema },
    place: new Map(),
    keys: [0],
    references: new Set([id]),
  };
  return { ...next, step: push(next.step, domain) };
}
