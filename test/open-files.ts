/** Which files this process has open, as Linux tells it. */
import { readdirSync, readlinkSync } from 'node:fs';

/** Those whose path begins with `prefix`. */
export function openFilesUnder(prefix: string): readonly string[] {
  const paths = readdirSync('/proc/self/fd').map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      // The one that the directory itself was read by.
      return '';
    }
  });
  return paths.filter((path) => path.startsWith(prefix));
}
