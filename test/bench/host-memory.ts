/**
 * A virtual machine gets a page of memory from its host when it is first written to, which takes 10 µs and counts as CPU time
 * of whoever wrote; a page that it has, 0.3 µs. What a run costs should not depend on what ran before on the machine: a
 * process of its own writes to as much memory as the run will need and ends, and the kernel gives those pages out next.
 */
import { execFileSync } from 'node:child_process';

/** State, log and view of four million events, and the pages of the files that they are written to. */
const GIBIBYTES = 3;

export function warmHostMemory(): void {
  execFileSync(process.execPath, [
    '-e',
    `const held = []; for (let i = 0; i < ${GIBIBYTES * 8}; i++) held.push(Buffer.alloc(1 << 27, 1));`,
  ]);
}
