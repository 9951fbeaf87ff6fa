/** The statements of the files in test/sql/corpus. */
import { readFileSync } from 'node:fs';
import { splitStatements } from '../../server/repl/split.ts';

export function readCorpus(file: string): readonly string[] {
  const text = readFileSync(new URL(`corpus/${file}`, import.meta.url), 'utf8');
  return splitStatements(text, false).parts.map((part) => part.text);
}

/** The statements of a file that has one a line, as not all of them are SQL. */
export function readLines(file: string): readonly string[] {
  const text = readFileSync(new URL(`corpus/${file}`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('-- '))
    .map((line) => line.replace(/;$/, ''));
}
