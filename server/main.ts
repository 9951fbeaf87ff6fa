#!/usr/bin/env node
/**
 * The entry of the `millrace` command. It stays free of imports that an old Node cannot load: on one, it starts
 * the Node that came with the package in its place.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledNode, isOldNode, runInPlace } from './node-version.ts';

if (isOldNode(process.versions.node)) {
  const node = bundledNode(dirname(fileURLToPath(import.meta.url)));
  if (node === undefined) {
    process.stderr.write(
      `millrace needs Node 22.22 or newer, and this is ${process.version}.\n` +
        'Install a newer Node, or reinstall millrace with its optional dependencies (they bring one).\n',
    );
    process.exit(1);
  }
  runInPlace(node, process.argv.slice(1));
} else {
  const { runCommandLine } = await import('./cli.ts');
  await runCommandLine(process.argv);
}
