/** `millrace catalog export`: the statements that make everything there is, as a script. */
import { writeFile } from 'node:fs/promises';
import { Client, type ClientAnswer, ConnectionError } from './client.ts';

/** @returns the exit code. */
export async function exportCatalog(url: URL, output: string | undefined): Promise<number> {
  let answer: ClientAnswer;
  try {
    answer = await new Client(url).query('SHOW CREATE ALL');
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    process.stderr.write(`millrace: ${error.message}\n`);
    return 2;
  }
  const [result] = answer.kind === 'results' ? answer.results : [];
  if (result?.kind !== 'rows') {
    const error = answer.kind === 'results' ? answer.error : undefined;
    process.stderr.write(`millrace: ${error?.message ?? 'the server gave no statements'}\n`);
    return 1;
  }
  const script = result.rows.map(([, statement]) => `${statement};\n`).join('\n');
  if (output === undefined) process.stdout.write(script);
  else await writeFile(output, script);
  return 0;
}
