/**
 * A test file is SQL. A comment line `-- @test: name` begins a test; what stands before the first one is run at the beginning
 * of each. A file without such a line is one test, named like the file.
 */
import { splitStatements } from '../repl/split.ts';

export interface FileStatement {
  readonly text: string;
  /** 1-based line in the file. */
  readonly line: number;
}

export interface FileTest {
  readonly name: string;
  readonly line: number;
  readonly statements: readonly FileStatement[];
}

const DIRECTIVE = /^[ \t]*--[ \t]*@test:[ \t]*(.*?)[ \t]*$/;

/** @param name  of the test in a file that names none. */
export function parseTestFile(text: string, name: string): readonly FileTest[] {
  const lines = text.split('\n');
  const starts = lines.flatMap((line, index) => {
    const match = DIRECTIVE.exec(line.replace(/\r$/, ''));
    return match === null ? [] : [{ line: index + 1, name: match[1] ?? '' }];
  });
  const first = starts[0];
  if (first === undefined) return [{ name, line: 1, statements: statementsOf(text, 1) }];
  const part = (from: number, until: number | undefined): string =>
    lines.slice(from - 1, until === undefined ? undefined : until - 1).join('\n');
  const common = statementsOf(part(1, first.line), 1);
  return starts.map((start, index) => ({
    name: start.name,
    line: start.line,
    statements: [...common, ...statementsOf(part(start.line, starts[index + 1]?.line), start.line)],
  }));
}

/** The last statement needs no semicolon. */
function statementsOf(text: string, firstLine: number): FileStatement[] {
  const { parts, rest, restLine } = splitStatements(text, false);
  const statements = parts.flatMap((part) =>
    part.kind === 'statement' ? [{ text: part.text, line: firstLine + part.line - 1 }] : [],
  );
  if (rest.trim() !== '') statements.push({ text: rest.trim(), line: firstLine + restLine - 1 });
  return statements;
}
