/** Text as a DuckDB literal. NUL cannot be in a literal, nor in PostgreSQL's text. */
export function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
