// The page's code of examples/services/prices.js, run by node: prices of all symbols come, and a page that is foreign is told so.
//   node prices_page.mjs ADDRESS
import assert from 'assert';
import { serverStream, watchPrices } from '../../examples/services/prices.js';

const server = `http://${process.argv[2]}`, seen = new Map(), stop = new AbortController();
await watchPrices(server, (price) => {
  assert(price.cents > 0);
  seen.set(price.symbol, price.change);
  if (seen.size === 5 && [...seen.values()].every((changes) => changes > 0)) stop.abort();
}, stop.signal).catch((error) => assert.strictEqual(error.name, 'AbortError'));
assert.deepStrictEqual([...seen.keys()].sort(), ['ACME', 'BOLT', 'CORK', 'DUNE', 'ECHO']);
const filter = new TextEncoder().encode('\n\x04NONE');
await assert.rejects(serverStream(`${server}/mote.prices.Prices/Watch`, filter, assert.fail), /status 5: none of these symbols is traded/);
console.log('2 passed, 0 failed');
