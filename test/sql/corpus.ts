/** The statements of the files in test/sql/corpus. */
import { readFileSync } from 'node:fs';
import { splitStatements } from '../../sql/statement-split.ts';

export function readCorpus(file: string): readonly string[] {
  const text = readFileSync(new URL(`corpus/${file}`, import.meta.url), 'utf8');
  return splitStatements(text).statements.map(({ start, end }) => text.slice(start, end));
}
