/** COPY in the prompt and in scripts: rows stand behind the statement up to a line `\.`, or in a file of the client's. */
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Shell } from './shell.ts';

const quoted = /'(?:[^']|'')*'|"(?:[^"]|"")*"/g;

export const isCopy = (sql: string): boolean => /^copy\b/i.test(sql);

/** Do the rows of this statement stand behind it? */
export const readsStandardInput = (sql: string): boolean =>
  isCopy(sql) && !/^copy\s*\(/i.test(sql) && /\bfrom\s+stdin\b/i.test(sql.replace(quoted, "''"));

/** The parts of `\copy {table [(columns)] | (query)} {from | to} {'file' | stdout} [options]`. */
const command = /^(\(.*\)|[^()]+?(?:\([^()]*\))?)\s*\b(from|to)\s+('(?:[^']|'')*'|\S+)\s*(.*)$/is;

/** @returns why it cannot be done, or whether it was. */
export async function copyFile(
  shell: Shell,
  argument: string,
  prefix: string | undefined,
): Promise<boolean | string> {
  const [, what, direction = '', target = '', options = ''] = command.exec(argument) ?? [];
  if (what === undefined) return '\\copy: parse error';
  const path = target.startsWith("'") ? target.slice(1, -1).replaceAll("''", "'") : target;
  const isStandard = /^p?std(in|out)$/i.test(target);
  if (direction.toLowerCase() === 'from') {
    if (isStandard) return '\\copy: use COPY … FROM STDIN for rows that are typed';
    const sql = `COPY ${what} FROM STDIN ${options}`;
    return failureOf(path, () => shell.copy(sql, createReadStream(path), { prefix }));
  }
  const sql = `COPY ${what} TO STDOUT ${options}`;
  if (isStandard) return shell.copy(sql, undefined, { prefix });
  return failureOf(path, () =>
    shell.copy(sql, undefined, { prefix }, (lines) => pipeline(lines, createWriteStream(path))),
  );
}

/** What is wrong with the file, in the system's words. */
async function failureOf(path: string, work: () => Promise<boolean>): Promise<boolean | string> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    return `${path}: ${error.message}`;
  }
}

export const textInput = (text: string): Readable => Readable.from([Buffer.from(text)]);
