/** Loaded before everything else: plants the fault that MILLRACE_TEST_FAULT numbers into the source as it is loaded. */
import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { plantedFaults } from './planted-faults.ts';

const fault = plantedFaults[Number(process.env.MILLRACE_TEST_FAULT)];
assert.ok(fault !== undefined, 'the fault has a number');
const { file, from, to } = fault;
const target = pathToFileURL(resolve(import.meta.dirname, '../..', file)).href;

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    if (url !== target) return loaded;
    const parts = String(loaded.source).split(from);
    assert.equal(parts.length, 2, `${file} has this once: ${from}`);
    return { ...loaded, source: parts.join(to) };
  },
});
