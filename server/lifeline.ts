import { Socket } from 'node:net';
import { Worker, workerData } from 'node:worker_threads';
import { LIFELINE_DESCRIPTOR, LIFELINE_VARIABLE } from './node-version.ts';

const ROLE = 'millrace-lifeline';

/**
 * Ends this process at once when the one that started it in its place is gone (see runInPlace). A thread of its own
 * watches, so that it also happens while the main thread computes.
 */
export function watchLifeline(environment: Record<string, string | undefined>): void {
  if (environment[LIFELINE_VARIABLE] !== '1') return;
  delete environment[LIFELINE_VARIABLE];
  new Worker(new URL(import.meta.url), { workerData: ROLE, execArgv: [] }).unref();
}

if (workerData === ROLE) {
  const pipe = new Socket({ fd: LIFELINE_DESCRIPTOR, readable: true, writable: false });
  pipe.on('close', () => process.kill(process.pid, 'SIGKILL'));
  pipe.resume();
}
