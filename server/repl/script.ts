import { readFile } from 'node:fs/promises';
import { ConnectionError } from './client.ts';
import { runText } from './command.ts';
import { standardScreen } from './screen.ts';
import { Shell } from './shell.ts';

const EXIT_FAILED = 1;
const EXIT_UNREACHABLE = 2;

/** `millrace run FILE.sql`: prints results, stops at the first error. @returns the exit code. */
export async function runScript(file: string, url: URL): Promise<number> {
  const shell = new Shell(url, standardScreen());
  cancelOnInterrupt(shell);
  try {
    const text = file === '-' ? await readStandardInput() : await readFile(file, 'utf8');
    const name = file === '-' ? '<stdin>' : file;
    const { ok } = await runText(text, name, shell, { stopAtError: true, depth: 0 });
    return ok ? 0 : EXIT_FAILED;
  } catch (error) {
    return reportFailure(error, shell);
  }
}

/** What `millrace sql` does when nobody types: all of standard input, errors do not stop it, as psql. */
export async function runStandardInput(shell: Shell): Promise<number> {
  cancelOnInterrupt(shell);
  try {
    await runText(await readStandardInput(), undefined, shell, { stopAtError: false, depth: 0 });
    return 0;
  } catch (error) {
    return reportFailure(error, shell);
  }
}

/** Says why there is no answer at all. @returns the exit code. */
export function reportFailure(error: unknown, shell: Shell): number {
  if (!(error instanceof Error)) throw error;
  shell.screen.error(`millrace: ${error.message}\n`);
  return error instanceof ConnectionError ? EXIT_UNREACHABLE : EXIT_FAILED;
}

/** The first Ctrl-C ends the statement, the second the process. */
function cancelOnInterrupt(shell: Shell): void {
  let interrupted = false;
  process.on('SIGINT', () => {
    if (interrupted || !shell.running) process.exit(130);
    interrupted = true;
    shell.cancel();
  });
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
