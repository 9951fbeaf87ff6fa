/** Statements of a script, with what is known about those that Millrace answers in its own way. */
import { readFileSync } from 'node:fs';

export interface ScriptStatement {
  readonly sql: string;
  /** Why the answer is not PostgreSQL's, from a line `-- differs: …` before the statement. */
  readonly differs: string | undefined;
  /** Whether the rows come in an order that the statement asks for. */
  readonly ordered: boolean;
}

const DIFFERS = '-- differs: ';

/** A statement ends with a semicolon at the end of a line, so that broken ones can be written down too. */
export function readScript(path: string): readonly ScriptStatement[] {
  const statements: ScriptStatement[] = [];
  let lines: string[] = [];
  let differs: string | undefined;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (lines.length === 0 && (line === '' || line.startsWith('--'))) {
      if (line.startsWith(DIFFERS)) differs = line.slice(DIFFERS.length);
      continue;
    }
    lines.push(line);
    if (!line.endsWith(';')) continue;
    const sql = lines.join('\n').slice(0, -1);
    statements.push({ sql, differs, ordered: /\bORDER BY[^)]*$/i.test(sql) });
    lines = [];
    differs = undefined;
  }
  return statements;
}
