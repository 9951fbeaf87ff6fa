/** `millrace check DIR`: is everything that the last commit needs there and whole? */
import { manifestSummary } from '../engine/runtime/state-manifest.ts';
import { checkData } from '../engine/store/check-data.ts';
import { StreamError } from '../sql/base/error.ts';

/** Prints what was found. @returns the exit code: 1 when anything is damaged. */
export async function runCheck(directory: string): Promise<number> {
  try {
    const { lines, damages } = await checkData(directory, manifestSummary);
    for (const line of lines) process.stdout.write(`${line}\n`);
    for (const damage of damages) process.stderr.write(`damaged: ${damage}\n`);
    process.stdout.write(
      damages.length === 0 ? 'no damage found\n' : `${damages.length} damages\n`,
    );
    return damages.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}
