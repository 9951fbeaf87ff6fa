import type { DialectRow } from './entry.ts';
import { fill, template } from './template.ts';

/** What is not JSON, or JSON of another kind, has no answer. */
const of = (kind: string, then: string): string => `CASE WHEN $1 IS JSON ${kind} THEN ${then} END`;

export const documents: readonly DialectRow[] = [
  [
    'extractjsonfield',
    'text, text',
    'text',
    'what a JSONPath finds in a document, as text; NULL when nothing, or when it is no JSON',
    template(of('VALUE', "jsonb_path_query_first(CAST($1 AS jsonb), $2) #>> '{}'")),
  ],
  [
    'json_array_contains',
    'text, any',
    'boolean',
    'whether an array in JSON has the value',
    (args, { span }) => {
      const [, value] = args;
      const typed = value?.kind === 'string' ? 'CAST($2 AS text)' : '$2';
      const text = `coalesce(${of('ARRAY', `CAST($1 AS jsonb) @> to_jsonb(${typed})`)}, false)`;
      return fill(text, args, span);
    },
  ],
  [
    'json_items',
    'text',
    'text[]',
    'elements of an array in JSON, each in JSON; NULL for anything else',
    template(
      of(
        'ARRAY',
        'ARRAY(SELECT CAST(e AS text) FROM jsonb_array_elements(CAST($1 AS jsonb)) WITH ORDINALITY AS items(e, n) ORDER BY n)',
      ),
    ),
  ],
  [
    'json_concat',
    'text, text, …',
    'text',
    'documents joined as by ||; NULL when one is no JSON',
    (args, { span }) => {
      const all = args.map((_, i) => `$${i + 1} IS JSON`).join(' AND ');
      const joined = args.map((_, i) => `CAST($${i + 1} AS jsonb)`).join(' || ');
      return fill(`CASE WHEN ${all} THEN CAST(${joined} AS text) END`, args, span);
    },
  ],
  ...['to_json_string', 'json_string'].map(
    (name): DialectRow => [
      name,
      'any',
      'text',
      'the value in JSON',
      (args, { span }) =>
        fill(
          args[0]?.kind === 'string'
            ? 'CAST(to_json(CAST($1 AS text)) AS text)'
            : 'CAST(to_json($1) AS text)',
          args,
          span,
        ),
    ],
  ),
];
