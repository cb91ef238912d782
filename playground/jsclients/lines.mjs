// The way in which the drivers speak with the tests, one JSON value a line:
//
//   in    {"id": 1, "call": "name", "args": [...]}
//   out   {"id": 1, "result": ...} or {"id": 1, "error": {...}}
//   out   {"event": "name", "data": ...}, the first of which is "started"
//
// The end of the input ends the driver.
import { createInterface } from 'node:readline';

const write = (line) => process.stdout.write(JSON.stringify(line, (_, v) => (typeof v === 'bigint' ? String(v) : v)) + '\n');

export const emit = (event, data = null) => write({ event, data });

// serve answers calls by functions of their names; describe makes a plain
// object of what a function threw.
export function serve(calls, describe, close) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const { id, call, args } = JSON.parse(line);
    try {
      if (!calls[call]) throw new Error(`no call named ${call}`);
      write({ id, result: (await calls[call](...(args ?? []))) ?? null });
    } catch (error) {
      write({ id, error: { name: error.name, message: error.message, ...describe(error) } });
    }
  });
  lines.on('close', async () => {
    await close();
    process.exit(0);
  });
  emit('started');
}
